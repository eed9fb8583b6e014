#include "changes/tables.h"

namespace fixpoint::changes {

std::vector<std::string> tables() {
  return {R"sql(
CREATE TABLE change (
  number INTEGER PRIMARY KEY AUTOINCREMENT, execution TEXT NOT NULL, step TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL,
  service TEXT NOT NULL, operation TEXT NOT NULL, input TEXT NOT NULL, before_read INTEGER NOT NULL, before TEXT, output TEXT,
  state TEXT NOT NULL, error TEXT NOT NULL, at_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL, undo TEXT NOT NULL,
  UNIQUE (execution, step)) STRICT;
)sql",
          R"sql(
ALTER TABLE change ADD COLUMN left_read INTEGER NOT NULL DEFAULT 0;
ALTER TABLE change ADD COLUMN left_state TEXT;
ALTER TABLE change ADD COLUMN rests_on TEXT NOT NULL DEFAULT '';
CREATE TABLE mandate (execution TEXT PRIMARY KEY, dry_run INTEGER NOT NULL, unsure TEXT NOT NULL, refused TEXT, document TEXT NOT NULL) STRICT;
CREATE TABLE plan (hash TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, document TEXT NOT NULL) STRICT;
CREATE TABLE kill_switch (scope TEXT PRIMARY KEY, by_whom TEXT NOT NULL, because TEXT NOT NULL, at_ms INTEGER NOT NULL) STRICT;
CREATE TABLE setting (scope TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (scope, name)) STRICT;
CREATE TABLE exception (id TEXT PRIMARY KEY, expires_ms INTEGER NOT NULL, document TEXT NOT NULL) STRICT;
CREATE TABLE touched (
  number INTEGER PRIMARY KEY AUTOINCREMENT, program TEXT NOT NULL, account TEXT NOT NULL, resource TEXT NOT NULL, refused INTEGER NOT NULL,
  at_ms INTEGER NOT NULL, execution TEXT NOT NULL) STRICT;
CREATE INDEX touched_when ON touched (program, account, at_ms);
)sql",
          R"sql(
CREATE TABLE asked_for (what TEXT PRIMARY KEY, before TEXT NOT NULL, by_whom TEXT NOT NULL, at_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL) STRICT;
)sql",
          // What was counted for a function's version or alias counts for the function: the last of eight parts goes.
          R"sql(
UPDATE touched SET program = rtrim(rtrim(program, replace(program, ':', '')), ':')
  WHERE program LIKE 'arn:%:lambda:%:function:%' AND length(program) - length(replace(program, ':', '')) = 7;
)sql"};
}

}  // namespace fixpoint::changes
