#pragma once

namespace fixpoint::store {

/// Puts fixpoint's page cache in SQLite's place: its own, but for one call. At the end of each transaction SQLite has
/// the cache forget the pages behind the database's end. Its own cache looks for them from the highest page number that
/// it has seen, and whenever SQLite balances a tree it lends a page the number of the lock page (1 GiB into the file)
/// for a moment: from then on every commit walks the whole cache. This one knows when nothing lies behind the end.
/// To be called before anything else of SQLite; gives SQLite's result code.
/// https://www.sqlite.org/c3ref/pcache_methods2.html
int use_page_cache();

}  // namespace fixpoint::store
