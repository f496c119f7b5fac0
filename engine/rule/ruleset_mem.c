// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/check.h"
#include "engine/rule/ruleset_read.h"

#define CHUNK_BYTES ((size_t)32 << 10)
#define ROWS_FIRST  32

void ruleset_key_push(struct ruleset_reader *r, struct str key)
{
    CHECK(r->depth < RULESET_PATH);
    r->path[r->depth].key = key;
    r->path[r->depth++].index = 0;
}

void ruleset_index_push(struct ruleset_reader *r, unsigned index)
{
    CHECK(r->depth < RULESET_PATH);
    r->path[r->depth].key = (struct str){0};
    r->path[r->depth++].index = index;
}

void ruleset_pop(struct ruleset_reader *r)
{
    CHECK(r->depth > 0);
    r->depth--;
    if (r->depth < r->leaves) r->leaves = 0;
}

// RFC 6901: "~" is "~0" and "/" is "~1" within a key.
static void write_pointer(const struct ruleset_reader *r, unsigned from, unsigned to, char *memory,
                          size_t size_bytes)
{
    struct buf wrapped, *b = &wrapped;

    buf_wrap(b, memory, size_bytes - 1);
    for (unsigned i = from; i < to; i++) {
        struct str key = r->path[i].key;

        buf_char(b, '/');
        if (!key.ptr) buf_u64(b, r->path[i].index);
        for (size_t k = 0; k < key.size && !b->failed; k++) {
            if (key.ptr[k] == '~')
                buf_lit(b, "~0");
            else if (key.ptr[k] == '/')
                buf_lit(b, "~1");
            else
                buf_char(b, key.ptr[k]);
        }
    }
    memory[b->size_bytes] = 0;
}

// The first time only: a calendar that a pack's rule names is found by the pack.
void ruleset_leave(struct ruleset_reader *r, const char *what, struct str name)
{
    if (r->leaves) return;
    r->leaves = r->depth;
    r->leaves_for = what;
    r->leaves_name = name;
}

void ruleset_fail(struct ruleset_reader *r, const char *fmt, ...)
{
    char pointer[128], inside[128], sentence[224];
    va_list args;

    if (r->errors->shown == RULESET_ERRORS_MAX) {
        r->errors->count++;
        return;
    }
    va_start(args, fmt);
    vsnprintf(sentence, sizeof sentence, fmt, args);
    va_end(args);
    write_pointer(r, 0, r->leaves ? r->leaves : r->depth, pointer, sizeof pointer);
    if (r->leaves) {
        write_pointer(r, r->leaves, r->depth, inside, sizeof inside);
        ruleset_errors_add(r->errors, pointer, "%s %.*s %s: %s", r->leaves_for,
                           RULESET_CLIP(r->leaves_name), inside, sentence);
    } else {
        ruleset_errors_add(r->errors, pointer, "%s", sentence);
    }
}

void *ruleset_alloc(struct ruleset_reader *r, size_t size_bytes)
{
    struct ruleset_chunk *c = r->own->chunks;
    size_t room_bytes;

    size_bytes = (size_bytes + 7) & ~(size_t)7;
    if (!c || c->room_bytes - c->used_bytes < size_bytes) {
        room_bytes = size_bytes > CHUNK_BYTES ? size_bytes : CHUNK_BYTES;
        c = malloc(sizeof *c + room_bytes);
        if (!c) {
            r->err = ERR_NOMEM;
            return NULL;
        }
        *c = (struct ruleset_chunk){.next = r->own->chunks, .room_bytes = room_bytes};
        r->own->chunks = c;
    }
    c->used_bytes += size_bytes;
    return c->bytes + c->used_bytes - size_bytes;
}

struct str ruleset_keep(struct ruleset_reader *r, struct json_value v)
{
    struct str text = r->set->text, kept;
    char *memory;

    if (!v.escaped && v.text.ptr >= text.ptr && v.text.ptr < text.ptr + text.size) return v.text;
    memory = ruleset_alloc(r, v.text.size ? v.text.size : 1);
    if (!memory) return STR("");
    if (v.escaped) return json_unescape(v, memory);
    kept = str_make(memory, v.text.size);
    memcpy(memory, v.text.ptr, v.text.size);
    return kept;
}

struct str ruleset_peek(struct json_value v, char *scratch, size_t size_bytes)
{
    if (!v.escaped) return v.text;
    // no word or name that is looked up is that long, so its beginning will not be found either
    if (v.text.size > size_bytes) return str_make(v.text.ptr, size_bytes);
    return json_unescape(v, scratch);
}

void *ruleset_push(struct ruleset_reader *r, void *table, unsigned *count, size_t size_bytes,
                   const char *what)
{
    unsigned n = *count;
    char *rows;

    if (r->err) return NULL; // tables that go together would no longer be as long
    memcpy(&rows, table, sizeof rows);
    if (n == UINT16_MAX) {
        ruleset_fail(r, "has more %s than a rule set can keep (%u)", what, UINT16_MAX);
        return NULL;
    }
    // the room is ROWS_FIRST or the next power of two, so it need not be kept
    if (n == 0 || (n >= ROWS_FIRST && (n & (n - 1)) == 0)) {
        rows = realloc(rows, (n ? 2 * (size_t)n : ROWS_FIRST) * size_bytes);
        if (!rows) {
            r->err = ERR_NOMEM;
            return NULL;
        }
        memcpy(table, &rows, sizeof rows);
    }
    ++*count;
    return memset(rows + n * size_bytes, 0, size_bytes);
}
