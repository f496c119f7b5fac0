// SPDX-License-Identifier: Apache-2.0
#include "engine/feed/listfile.h"

#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "engine/feed/csvrow.h"
#include "engine/feed/numline.h"
#include "engine/wire/address.h"

static const struct {
    const char *code, *text;
} rejects[REJECT_COUNT] = {
#define REJECT(name, code, text) {code, text},
#include "engine/feed/reject.def"
#undef REJECT
#define NUMBER_ERROR(name, code, text) {code, text},
#include "engine/wire/number.def"
#undef NUMBER_ERROR
};

static const char *const key_names[] = {"", "phone", "client_id", "email"};

const char *listfile_reject_code(enum reject reject)
{
    return (unsigned)reject < REJECT_COUNT ? rejects[reject].code : "unknown";
}

const char *listfile_reject_text(enum reject reject)
{
    return (unsigned)reject < REJECT_COUNT ? rejects[reject].text : "is refused";
}

void listfile_init(struct listfile *p, enum set_kind kind, const struct number_home *home,
                   const struct listfile_sink *sink)
{
    CHECK(kind >= SET_DEVICE && kind <= SET_EMAIL);
    p->sink = sink;
    p->home = home;
    p->kind = kind;
    p->csv = p->skipping = false;
    p->separator = ',';
    p->key_column = p->from_column = p->till_column = -1;
    p->line = p->rows = p->skipped = p->invalid = 0;
    p->batch_count = 0;
}

// -- the beginning of the file ---------------------------------------------------------------

enum column { COLUMN_OTHER, COLUMN_PHONE, COLUMN_CLIENT, COLUMN_EMAIL, COLUMN_FROM, COLUMN_TILL };

// The words a header may use, spaces, '-' and '_' left out, lower case.
static const struct {
    const char *word;
    enum column column;
} words[] = {
    {"phone", COLUMN_PHONE},       {"phonenumber", COLUMN_PHONE}, {"number", COLUMN_PHONE},
    {"device", COLUMN_PHONE},      {"telephone", COLUMN_PHONE},   {"clientid", COLUMN_CLIENT},
    {"customerid", COLUMN_CLIENT}, {"email", COLUMN_EMAIL},       {"emailaddress", COLUMN_EMAIL},
    {"from", COLUMN_FROM},         {"till", COLUMN_TILL},         {"until", COLUMN_TILL},
};
static_assert((int)COLUMN_PHONE == (int)SET_DEVICE && (int)COLUMN_CLIENT == (int)SET_CLIENT &&
                  (int)COLUMN_EMAIL == (int)SET_EMAIL,
              "a kind is the column that counts");

static enum column column_of(struct str name)
{
    char folded[16];
    size_t n = 0;

    for (size_t i = 0; i < name.size; i++) {
        if (name.ptr[i] == ' ' || name.ptr[i] == '-' || name.ptr[i] == '_') continue;
        if (n == sizeof folded) return COLUMN_OTHER;
        folded[n++] = str_lower(name.ptr[i]);
    }
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (str_eq(str_make(folded, n), str_of(words[i].word))) return words[i].column;
    return COLUMN_OTHER;
}

// Takes the line for a header when one of its words is a key's. True when it is one.
static bool try_header(struct listfile *p, struct str line, char separator)
{
    struct csvrow row;
    bool named = false;

    if (csvrow_split(&row, line.ptr, line.size, true, separator) != CSVROW_OK) return false;
    p->key_column = p->from_column = p->till_column = -1;
    for (unsigned i = 0; i < row.count && i < CSVROW_FIELDS; i++) {
        enum column column = column_of(row.field[i]);

        named |= column >= COLUMN_PHONE && column <= COLUMN_EMAIL;
        if ((int)column == (int)p->kind && p->key_column < 0) p->key_column = (int)i;
        if (column == COLUMN_FROM && p->from_column < 0) p->from_column = (int)i;
        if (column == COLUMN_TILL && p->till_column < 0) p->till_column = (int)i;
    }
    p->separator = separator;
    return named;
}

static int find_header(struct listfile *p, struct str line, struct err_info *info)
{
    static const char separators[] = {',', ';', '\t', '|'};

    for (size_t i = 0; i < sizeof separators && !p->csv; i++)
        p->csv = try_header(p, line, separators[i]);
    if (p->csv && p->key_column < 0)
        return err_set(info, ERR_CONFIG,
                       "its header names no %s column, but the list is of that kind; try: rename "
                       "the column, or give the list another kind=",
                       key_names[p->kind]);
    return 0;
}

int listfile_start(struct listfile *p, const char *head, size_t size_bytes, size_t *ret_used,
                   struct err_info *info)
{
    struct str text = {head, size_bytes}, line = {NULL, 0};
    const char *newline;
    size_t used = 0;
    int err;

    if (str_starts(text, STR("\xff\xfe")) || str_starts(text, STR("\xfe\xff")))
        return err_set(info, ERR_CONFIG,
                       "it is UTF-16 text; try: iconv -f UTF-16 -t UTF-8 FILE > FILE.utf8");
    if (str_starts(text, STR("\xef\xbb\xbf"))) used = 3;
    while ((newline = memchr(head + used, '\n', size_bytes - used))) {
        line = str_trim(str_make(head + used, (size_t)(newline - head) - used));
        if (line.size > 0) break;
        p->line++, p->rows++, p->skipped++;
        used = (size_t)(newline - head) + 1;
    }
    if (!newline) line = str_trim(str_make(head + used, size_bytes - used));
    err = line.size > LIMIT_LINE_BYTES ? 0 : find_header(p, line, info);
    if (err) return err;
    if (p->csv) {
        used = newline ? (size_t)(newline - head) + 1 : size_bytes;
        p->line++;
    }
    *ret_used = used;
    return 0;
}

// -- rows ------------------------------------------------------------------------------------

static int flush_numbers(struct listfile *p)
{
    unsigned count = p->batch_count;

    p->batch_count = 0;
    return count ? p->sink->on_numbers(p->sink->ctx, p->batch, count) : 0;
}

static int reject_row(struct listfile *p, enum reject reason, const char *column, struct str value)
{
    struct listfile_reject reject = {p->line + 1, column, reason, value};

    p->rows++;
    p->invalid++;
    return p->sink->on_reject(p->sink->ctx, &reject);
}

static int accept_row(struct listfile *p, const struct listfile_row *row)
{
    p->rows++;
    return p->sink->on_row(p->sink->ctx, row);
}

// The key of one row from the text of its column.
static enum reject read_key(const struct listfile *p, struct str text, char *email,
                            struct listfile_row *row)
{
    enum number_error error;

    if (p->kind == SET_CLIENT)
        return address_client_id(text, &row->text) ? REJECT_NONE : REJECT_BAD_CLIENT_ID;
    if (p->kind == SET_EMAIL)
        return address_email(text, email, &row->text) ? REJECT_NONE : REJECT_BAD_EMAIL;
    error = number_parse(text, p->home, &row->device);
    return error == NUMBER_OK ? REJECT_NONE : REJECT_NUMBER_OK + (enum reject)error;
}

// RFC 3339 or a date, which is its midnight in UTC. Years past 2199 stand for "for ever" in many
// files and may pass what clock_parse can hold, so they are read as 2196 (a leap year as well),
// which is past SET_FOREVER too.
static bool read_time(struct str text, int64_t *ret_ns)
{
    char padded[64];
    size_t n = text.size;

    if (n < 10 || n > 40) return false;
    memcpy(padded, text.ptr, n);
    if (n == 10) {
        memcpy(padded + n, "T00:00:00Z", 10);
        n += 10;
    }
    if (memcmp(padded, "2200", 4) >= 0 && memcmp(padded, "9999", 4) <= 0 &&
        str_is_digit(padded[1]) && str_is_digit(padded[2]) && str_is_digit(padded[3]))
        memcpy(padded, "2196", 4);
    return clock_parse(str_make(padded, n), ret_ns);
}

// Whole seconds: an entry that begins or ends inside a second holds for all of it.
static bool read_instant(struct str text, bool up, int64_t *ret_s)
{
    uint64_t epoch_s;
    int64_t ns;

    if (str_to_u64(text, &epoch_s)) {
        // eight digits are a date like 20261122 rather than an instant of 1970: not guessed
        if ((epoch_s && epoch_s < 100000000) || epoch_s > INT64_MAX) return false;
        *ret_s = (int64_t)epoch_s;
        return true;
    }
    if (!read_time(text, &ns)) return false;
    *ret_s = ns / 1000000000 - (ns % 1000000000 < 0);
    if (up && ns % 1000000000 != 0) (*ret_s)++;
    return true;
}

static enum reject read_span(struct str from, struct str till, struct set_span *ret)
{
    int64_t from_s = 0, till_s = SET_FOREVER;

    if (from.size > 0 && !read_instant(from, false, &from_s)) return REJECT_BAD_FROM;
    if (till.size > 0 && !read_instant(till, true, &till_s)) return REJECT_BAD_TILL;
    if (from_s < 0) from_s = 0;
    if (till_s > SET_FOREVER) till_s = SET_FOREVER;
    if (till_s <= from_s) return REJECT_EMPTY_SPAN;
    *ret = (struct set_span){(uint32_t)from_s, (uint32_t)till_s};
    return REJECT_NONE;
}

static int csv_fields(struct listfile *p, const struct csvrow *csv, struct str whole)
{
    struct listfile_row row = {.line = p->line + 1};
    struct str key = csvrow_field(csv, (unsigned)p->key_column, p->scratch[0]);
    struct str from = csvrow_field(csv, (unsigned)p->from_column, p->scratch[1]);
    struct str till = csvrow_field(csv, (unsigned)p->till_column, p->scratch[2]);
    char email[LIMIT_EMAIL_BYTES];
    enum reject reason;

    if (!key.ptr) return reject_row(p, REJECT_NO_COLUMN, key_names[p->kind], whole);
    reason = read_key(p, key, email, &row);
    if (reason) return reject_row(p, reason, key_names[p->kind], key);
    reason = read_span(from, till, &row.span);
    if (reason == REJECT_BAD_FROM) return reject_row(p, reason, "from", from);
    if (reason) return reject_row(p, reason, "till", till);
    return accept_row(p, &row);
}

// A row that is none: only its first line is given up, so that a stray quote costs no more.
static int give_up_line(struct listfile *p, const char *at, size_t size, enum reject reason,
                        size_t *ret_size)
{
    size_t view = size < LIMIT_LINE_BYTES + 1 ? size : LIMIT_LINE_BYTES + 1;
    const char *newline = memchr(at, '\n', view);
    int err;

    p->skipping = !newline && size > LIMIT_LINE_BYTES;
    if (p->skipping) reason = REJECT_LINE_TOO_LONG;
    *ret_size = newline ? (size_t)(newline - at) + 1 : view;
    err = reject_row(p, reason, "", str_trim(str_make(at, *ret_size)));
    p->line += newline != NULL;
    return err;
}

// Stands at a row. *ret_size: its bytes, 0 when more must be shown.
static int csv_row(struct listfile *p, const char *at, size_t size, bool last, size_t *ret_size)
{
    struct csvrow csv;
    enum csvrow_status status = csvrow_split(&csv, at, size, last, p->separator);
    int err = 0;

    *ret_size = 0;
    if (status == CSVROW_MORE) return 0;
    if (status == CSVROW_OPEN) return give_up_line(p, at, size, REJECT_QUOTE_OPEN, ret_size);
    if (status == CSVROW_LONG) return give_up_line(p, at, size, REJECT_LINE_TOO_LONG, ret_size);
    if (csv.tail) return give_up_line(p, at, size, REJECT_QUOTE_TAIL, ret_size);
    if (csv.count == 1 && csv.field[0].size == 0 && !csv.quoted[0])
        p->rows++, p->skipped++;
    else
        err = csv_fields(p, &csv, str_trim(str_make(at, csv.size_bytes)));
    p->line += csv.lines;
    *ret_size = csv.size_bytes;
    return err;
}

static int plain_line(struct listfile *p, struct str line)
{
    struct listfile_row row = {.line = p->line + 1, .span = SET_ALWAYS};
    char email[LIMIT_EMAIL_BYTES];
    enum reject reason;
    uint64_t nanp;

    if (line.size == 0) {
        p->rows++, p->skipped++;
        return 0;
    }
    if (line.size > LIMIT_LINE_BYTES) return reject_row(p, REJECT_LINE_TOO_LONG, "", line);
    if (p->kind == SET_DEVICE && numline_flat(line, &nanp, &reason)) {
        if (reason) return reject_row(p, reason, key_names[p->kind], line);
        row.device = 10000000000 + nanp;
        return accept_row(p, &row);
    }
    if (line.size >= 2 && line.ptr[0] == '"' && line.ptr[line.size - 1] == '"')
        line = str_make(line.ptr + 1, line.size - 2);
    reason = read_key(p, line, email, &row);
    return reason ? reject_row(p, reason, key_names[p->kind], line) : accept_row(p, &row);
}

static int line_row(struct listfile *p, const char *at, size_t size, bool last, size_t *ret_size)
{
    size_t view = size < LIMIT_LINE_BYTES + 2 ? size : LIMIT_LINE_BYTES + 2;
    const char *newline = memchr(at, '\n', view);
    int err;

    *ret_size = 0;
    if (!newline && view == LIMIT_LINE_BYTES + 2) p->skipping = true;
    if (!newline && !p->skipping && !last) return 0;
    *ret_size = newline ? (size_t)(newline - at) + 1 : view;
    if (p->skipping)
        err = reject_row(p, REJECT_LINE_TOO_LONG, "", str_make(at, view));
    else
        err = plain_line(p, str_trim(str_make(at, *ret_size)));
    p->line += newline != NULL;
    return err;
}

// The rest of a line that is too long: dropped up to its end.
static size_t skip_line(struct listfile *p, const char *at, size_t size)
{
    const char *newline = memchr(at, '\n', size);

    if (!newline) return size;
    p->skipping = false;
    p->line++;
    return (size_t)(newline - at) + 1;
}

// As many lines of the two fast shapes as stand here. Returns the bytes read.
static size_t fast_lines(struct listfile *p, const char *at, size_t size, int *ret_err)
{
    const char *begin = at, *end = at + size;
    unsigned before = p->batch_count;

    for (;;) {
        at = numline_run(at, end, p->home->nanp, p->batch, &p->batch_count, LISTFILE_BATCH);
        p->line += p->batch_count - before;
        p->rows += p->batch_count - before;
        if (p->batch_count < LISTFILE_BATCH) break;
        *ret_err = flush_numbers(p);
        if (*ret_err) break;
        before = 0;
    }
    return (size_t)(at - begin);
}

int listfile_parse(struct listfile *p, const char *data, size_t size_bytes, bool last,
                   size_t *ret_used)
{
    bool fast = p->kind == SET_DEVICE && !p->csv;
    size_t at = 0, n;
    int err = 0;

    while (at < size_bytes && !err) {
        if (p->skipping) {
            at += skip_line(p, data + at, size_bytes - at);
            continue;
        }
        if (fast) at += fast_lines(p, data + at, size_bytes - at, &err);
        if (err || at == size_bytes) break;
        err = p->csv ? csv_row(p, data + at, size_bytes - at, last, &n)
                     : line_row(p, data + at, size_bytes - at, last, &n);
        if (n == 0) break;
        at += n;
    }
    if (!err) err = flush_numbers(p);
    if (!err) *ret_used = at;
    return err;
}
