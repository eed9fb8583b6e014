#include "store/page_cache.h"

#include <algorithm>
#include <new>
#include <sqlite3.h>

namespace fixpoint::store {
namespace {

sqlite3_pcache_methods2 own{};  // SQLite's

// What SQLite holds as one of its caches.
struct Cache {
  sqlite3_pcache* pages;
  unsigned highest = 0;  // no page in it has a higher number, but `lent`
  unsigned lent = 0;     // a number above `highest` that a page has for a moment; 0 for none

  void seen(unsigned number) { highest = std::max(highest, number); }
};

Cache* of(sqlite3_pcache* cache) {
  return reinterpret_cast<Cache*>(cache);
}

int init(void*) {
  return own.xInit == nullptr ? SQLITE_OK : own.xInit(own.pArg);
}
void shut_down(void*) {
  if (own.xShutdown != nullptr) own.xShutdown(own.pArg);
}
sqlite3_pcache* create(int page_bytes, int extra_bytes, int purgeable) {
  sqlite3_pcache* pages = own.xCreate(page_bytes, extra_bytes, purgeable);
  if (pages == nullptr) return nullptr;
  auto* cache = new (std::nothrow) Cache{pages};
  if (cache == nullptr) own.xDestroy(pages);
  return reinterpret_cast<sqlite3_pcache*>(cache);
}
void set_size(sqlite3_pcache* cache, int pages) {
  own.xCachesize(of(cache)->pages, pages);
}
int count(sqlite3_pcache* cache) {
  return own.xPagecount(of(cache)->pages);
}
sqlite3_pcache_page* fetch(sqlite3_pcache* cache, unsigned number, int create_flag) {
  if (create_flag != 0) of(cache)->seen(number);
  return own.xFetch(of(cache)->pages, number, create_flag);
}
void unpin(sqlite3_pcache* cache, sqlite3_pcache_page* page, int discard) {
  own.xUnpin(of(cache)->pages, page, discard);
}
void renumber(sqlite3_pcache* cache, sqlite3_pcache_page* page, unsigned before, unsigned after) {
  Cache& c = *of(cache);
  if (before == c.lent) c.lent = 0;
  if (after > c.highest && c.lent == 0)
    c.lent = after;
  else
    c.seen(after);
  own.xRekey(c.pages, page, before, after);
}
void truncate(sqlite3_pcache* cache, unsigned from) {
  Cache& c = *of(cache);
  if (from > c.highest && from > c.lent) return;
  own.xTruncate(c.pages, from);
  if (from > 0) c.highest = std::min(c.highest, from - 1);
  if (from <= c.lent) c.lent = 0;
}
void destroy(sqlite3_pcache* cache) {
  own.xDestroy(of(cache)->pages);
  delete of(cache);
}
void shrink(sqlite3_pcache* cache) {
  own.xShrink(of(cache)->pages);
}

}  // namespace

int use_page_cache() {
  if (const int code = sqlite3_config(SQLITE_CONFIG_GETPCACHE2, &own); code != SQLITE_OK) return code;
  static sqlite3_pcache_methods2 methods{.iVersion = 1,
                                         .pArg = nullptr,
                                         .xInit = init,
                                         .xShutdown = shut_down,
                                         .xCreate = create,
                                         .xCachesize = set_size,
                                         .xPagecount = count,
                                         .xFetch = fetch,
                                         .xUnpin = unpin,
                                         .xRekey = renumber,
                                         .xTruncate = truncate,
                                         .xDestroy = destroy,
                                         .xShrink = shrink};
  return sqlite3_config(SQLITE_CONFIG_PCACHE2, &methods);
}

}  // namespace fixpoint::store
