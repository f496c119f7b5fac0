// SPDX-License-Identifier: Apache-2.0
//
// dialgate-pack: checks rule packs and runs their vectors; shows the packs that are built in.
// For the people who write rules: engine/packs/README.md.
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "engine/base/file.h"
#include "engine/rule/vectors.h"
#include "engine/wire/number.h"

#define STALE_DAYS 365
#define PATH_BYTES 4096
#define DAY_S      86400
#define TEXT_MAX   ((size_t)4 << 20)
#define DEPTH      16

enum { EXIT_GOOD, EXIT_BAD, EXIT_USAGE };

static const char help[] =
    "dialgate-pack: checks rule packs and shows them (how to write one: engine/packs/README.md)\n"
    "\n"
    "  dialgate-pack check FILE…   reads each pack, tells every error with its JSON pointer, runs\n"
    "                              its vectors and prints a table of its rules; calendars are\n"
    "                              those of the packs beside it, then the built-in ones\n"
    "  dialgate-pack list          the packs that are built in\n"
    "  dialgate-pack show RULE     one rule of them as JSON, and its vectors\n"
    "\n"
    "  --packs DIR      list and show: packs (*.json) that join or replace the built-in ones\n"
    "  --zoneinfo DIR   the time zone files [" ZONES_DEFAULT "]\n"
    "  --today DAY      what counts as today, like 2026-11-22, for the warnings\n"
    "  --help, --version\n"
    "\n"
    "Exit: 0 everything is well (there may be warnings), 1 a pack has errors or a vector failed,\n"
    "2 the command line is wrong or the machine's time zones could not be read.\n";

struct options {
    const char *packs_dir, *zoneinfo, *command, **files;
    unsigned file_count;
    int32_t today;
};

static struct {
    struct zones *zones;
    struct places *places;
    struct packs *packs;
} data;

struct tally {
    unsigned passed, failed, blocks, others;
};

// One pack under check.
struct check {
    const struct options *options;
    const char *file;
    const struct pack *pack;
    struct ruleset *set;
    struct tally *tally; // one a rule
    unsigned failed, warnings;
    struct ruleset_errors errors;
};

static int usage(const char *sentence, const char *about)
{
    fprintf(stderr, "dialgate-pack: %s%s; try: dialgate-pack --help\n", sentence, about);
    return EXIT_USAGE;
}

// -- data --------------------------------------------------------------------------------------

static int load(const char *packs_dir, const char *zoneinfo)
{
    struct err_info info = {.text = "out of memory"};
    int err = number_start();

    if (!err) err = zones_load(&data.zones, zoneinfo, &info);
    if (!err) err = places_new(&data.places, data.zones, &info);
    if (!err) err = packs_load(&data.packs, packs_dir, &info);
    if (!err) return EXIT_GOOD;
    fprintf(stderr, "dialgate-pack: %s\n", info.text);
    return EXIT_USAGE;
}

static void unload(void)
{
    packs_free(data.packs);
    places_free(data.places);
    zones_free(data.zones);
}

// A member of the pack's document; JSON_NONE when it has none.
static struct json_value member(struct str text, const char *name)
{
    struct json j = json_start(text, DEPTH);
    struct json_value key, value;

    if (json_enter(&j) != JSON_OBJECT) return (struct json_value){0};
    while (json_member(&j, &key, &value))
        if (str_eq(key.text, str_of(name))) return value;
    return (struct json_value){0};
}

// -- check: calendars --------------------------------------------------------------------------

// Rules find the errors of calendars that they use; the dates of the others are looked at here.
static void check_date(struct check *c, struct str calendar, unsigned index, struct json_value v)
{
    struct calendar_spec spec;
    char pointer[128];
    struct json_value date = v.type == JSON_OBJECT ? member(v.text, "date") : v;

    if (date.type == JSON_STRING && calendar_parse_spec(date.text, &spec)) return;
    snprintf(pointer, sizeof pointer, "/calendars/%.*s/%u", STR_ARG(calendar), index);
    ruleset_errors_add(&c->errors, pointer,
                       "is no date: write \"12-25\", \"2026-11-26\", \"11-4thu\", "
                       "\"05-lastmon\", \"11-2..8tue\", \"easter-47\" or an object with \"date\"");
}

static void check_calendars(struct check *c)
{
    struct json_value calendars = member(c->pack->text, "calendars"), name, dates, date;
    struct json j = json_start(calendars.text, DEPTH);

    if (calendars.type == JSON_NONE) return;
    json_enter(&j);
    while (json_member(&j, &name, &dates)) {
        struct json one = json_start(dates.text, DEPTH);
        unsigned count = 0;

        json_enter(&one);
        while (json_element(&one, &date)) check_date(c, name.text, count++, date);
        printf("  calendar %.*s: %u dates\n", STR_ARG(name.text), count);
    }
}

// -- check: rules and vectors ------------------------------------------------------------------

static void took_vector(void *ctx, const struct vectors_outcome *o)
{
    struct check *c = ctx;
    struct tally *t = &c->tally[o->rule];

    if (o->expected == VECTORS_BLOCK)
        t->blocks++;
    else
        t->others++;
    if (o->got == o->expected) {
        t->passed++;
        return;
    }
    t->failed++;
    c->failed++;
    printf("FAILED %s /vectors/%u: %.*s at %.*s: expected %s, got %s%s%.*s%s (%.*s)\n", c->file,
           o->index, STR_ARG(c->set->rule[o->rule].name), STR_ARG(o->at), vectors_word(o->expected),
           vectors_word(o->got), o->got == VECTORS_BLOCK ? " [" : "",
           o->got == VECTORS_BLOCK ? (int)reason_text(o->reason).size : 0,
           reason_text(o->reason).ptr, o->got == VECTORS_BLOCK ? "]" : "", STR_ARG(o->source));
}

static void warn(struct check *c, const struct rule *rule, const char *sentence)
{
    printf("  warning: %.*s %s\n", STR_ARG(rule->name), sentence);
    c->warnings++;
}

static void warn_of_rule(struct check *c, const struct rule *rule, const struct tally *t)
{
    int32_t verified;

    if (t->blocks + t->others == 0)
        warn(c, rule, "has no vectors");
    else if (t->blocks == 0)
        warn(c, rule, "has no vector that expects \"block\"");
    else if (t->others == 0)
        warn(c, rule, "has no vector that expects \"allow\" or \"none\"");
    if (rule->verified.ptr && calendar_parse_day(rule->verified, &verified)) {
        if (c->options->today - verified > STALE_DAYS)
            warn(c, rule, "was verified more than 365 days ago; read its source again");
        if (verified > c->options->today) warn(c, rule, "was verified on a day to come");
    }
    if (rule->until_day < c->options->today) warn(c, rule, "is no longer in force");
    if (rule->from_day != RULE_DAY_FIRST && rule->from_day > c->options->today)
        warn(c, rule, "is not yet in force");
}

static const char *mode_of(const struct rule *rule)
{
    if (rule->shadow) return "shadow";
    return rule->verified.ptr ? "enforce" : "unverified";
}

static void print_table(struct check *c)
{
    printf("  %-34s %-14s %-10s %-10s %-8s vectors\n", "rule", "type", "mode", "verified", "holds");
    for (unsigned i = 0; i < c->set->rule_count; i++) {
        const struct rule *rule = &c->set->rule[i];
        const struct tally *t = &c->tally[i];

        printf("  %-34.*s %-14.*s %-10s %-10.*s %-8s %u/%u%s\n", STR_ARG(rule->name),
               STR_ARG(verdict_type_word(rule->type)), mode_of(rule),
               rule->verified.ptr ? (int)rule->verified.size : 1,
               rule->verified.ptr ? rule->verified.ptr : "-",
               rule->required ? "always" : "if named", t->passed, t->passed + t->failed,
               t->failed ? " FAILED" : "");
    }
}

static void print_errors(const struct check *c)
{
    for (unsigned i = 0; i < c->errors.shown; i++)
        printf("ERROR %s %s: %s\n", c->file, c->errors.error[i].pointer, c->errors.error[i].text);
    if (c->errors.count > c->errors.shown)
        printf("ERROR %s: and %u more\n", c->file, c->errors.count - c->errors.shown);
}

// The table needs to know which rules are required, which running the vectors changes.
static void run_vectors(struct check *c)
{
    struct ruleset_errors *errors = &c->errors;
    struct ruleset *copy = NULL;
    struct ruleset_errors again = {0};

    if (ruleset_of_pack(&copy, c->pack, data.places, data.packs, &again)) {
        ruleset_errors_add(errors, "", "could not be read a second time");
        return;
    }
    if (vectors_run(c->pack, copy, data.places, took_vector, c, errors) == ERR_NOMEM)
        ruleset_errors_add(errors, "", "memory ran out");
    ruleset_unref(copy);
}

static void check_rules(struct check *c)
{
    if (ruleset_of_pack(&c->set, c->pack, data.places, data.packs, &c->errors)) {
        if (c->errors.count == 0) ruleset_errors_add(&c->errors, "", "memory ran out");
        return;
    }
    c->tally = calloc(c->set->rule_count + 1, sizeof *c->tally);
    CHECK(c->tally);
    run_vectors(c);
    if (c->set->rule_count) print_table(c);
    for (unsigned i = 0; i < c->set->rule_count; i++)
        warn_of_rule(c, &c->set->rule[i], &c->tally[i]);
}

static const char *dir_of(const char *file, char dir[PATH_BYTES])
{
    const char *slash = strrchr(file, '/');

    if (!slash) return ".";
    if (slash == file) return "/";
    return str_copy(dir, PATH_BYTES, str_make(file, (size_t)(slash - file))) ? dir : ".";
}

// The pack of the file, among the others of its directory, whose calendars it may name.
static const struct pack *find_pack(const char *file)
{
    struct err_info info = {0};
    const struct pack *pack = NULL;
    char dir[PATH_BYTES];
    struct buf text;

    packs_free(data.packs);
    data.packs = NULL;
    buf_init(&text, TEXT_MAX);
    if (file_read_all(file, &text, &info) || packs_load(&data.packs, dir_of(file, dir), &info))
        printf("ERROR %s: %s\n", file, info.text);
    else
        pack = packs_find(data.packs, member(buf_view(&text), "pack").text);
    if (pack && !str_eq(pack->text, buf_view(&text))) pack = NULL;
    if (!pack && !info.err) printf("ERROR %s: is no pack, or not called *.json\n", file);
    buf_done(&text);
    return pack;
}

static bool check_file(const struct options *options, const char *file)
{
    struct check *c = calloc(1, sizeof *c);
    bool good = false;

    CHECK(c);
    c->options = options;
    c->file = file;
    c->pack = find_pack(file);
    if (c->pack) {
        printf("%.*s (%s)\n", STR_ARG(c->pack->name), file);
        check_rules(c);
        check_calendars(c);
        print_errors(c);
        good = c->errors.count == 0 && c->failed == 0;
        printf("  %s: %u rules, %u errors, %u vectors failed, %u warnings\n", good ? "good" : "BAD",
               c->set ? c->set->rule_count : 0, c->errors.count, c->failed, c->warnings);
    }
    free(c->tally);
    ruleset_unref(c->set);
    free(c);
    return good;
}

static int check_files(const struct options *options)
{
    bool good = true;

    if (options->file_count == 0) return usage("check needs a FILE", "");
    for (unsigned i = 0; i < options->file_count; i++)
        good &= check_file(options, options->files[i]);
    return good ? EXIT_GOOD : EXIT_BAD;
}

// -- list and show -----------------------------------------------------------------------------

static struct ruleset *rules_of(const struct pack *pack)
{
    struct ruleset_errors *errors = calloc(1, sizeof *errors);
    struct ruleset *set = NULL;

    CHECK(errors);
    if (ruleset_of_pack(&set, pack, data.places, data.packs, errors) && errors->shown)
        fprintf(stderr, "dialgate-pack: pack %.*s%s: %s\n", STR_ARG(pack->name),
                errors->error[0].pointer, errors->error[0].text);
    free(errors);
    return set;
}

static int list_packs(const struct options *options)
{
    if (options->file_count) return usage("list takes no names: ", options->files[0]);
    printf("%-12s %-14s %5s %10s  %s\n", "pack", "version", "rules", "unverified", "title");
    for (unsigned i = 0; i < packs_count(data.packs); i++) {
        const struct pack *pack = packs_at(data.packs, i);
        struct ruleset *set = rules_of(pack);
        struct str version = member(pack->text, "version").text;
        unsigned unverified = 0;

        for (unsigned r = 0; set && r < set->rule_count; r++)
            unverified += set->rule[r].verified.ptr == NULL;
        printf("%-12.*s %-14.*s %5u %10u  %.*s\n", STR_ARG(pack->name), STR_ARG(version),
               set ? set->rule_count : 0, unverified, STR_ARG(member(pack->text, "title").text));
        ruleset_unref(set);
    }
    return EXIT_GOOD;
}

static void show_vectors(const struct pack *pack, struct str rule)
{
    struct json_value vectors = member(pack->text, "vectors"), vector;
    struct json j = json_start(vectors.text, DEPTH);

    if (vectors.type != JSON_ARRAY) return;
    json_enter(&j);
    while (json_element(&j, &vector))
        if (str_eq(member(vector.text, "rule").text, rule)) printf("%.*s\n", STR_ARG(vector.text));
}

static bool show_of_pack(const struct pack *pack, struct str name)
{
    struct ruleset *set = rules_of(pack);
    int rule = set ? ruleset_find(set, name) : -1;
    struct buf out;

    if (rule >= 0) {
        buf_init(&out, TEXT_MAX);
        ruleset_write_rule(&out, set, (unsigned)rule);
        printf("%.*s\n", STR_ARG(buf_view(&out)));
        buf_done(&out);
        show_vectors(pack, name);
    }
    ruleset_unref(set);
    return rule >= 0;
}

static int show_rule(const struct options *options)
{
    bool found = false;

    if (options->file_count != 1) return usage("show needs the name of one rule", "");
    for (unsigned i = 0; i < packs_count(data.packs) && !found; i++)
        found = show_of_pack(packs_at(data.packs, i), str_of(options->files[0]));
    if (found) return EXIT_GOOD;
    fprintf(stderr, "dialgate-pack: no pack has a rule \"%s\"; try: dialgate-pack list\n",
            options->files[0]);
    return EXIT_BAD;
}

// -- command line ------------------------------------------------------------------------------

static const struct {
    const char *name;
    int (*run)(const struct options *options);
} commands[] = {{"check", check_files}, {"list", list_packs}, {"show", show_rule}};

// "--packs DIR" at *i; false when it is none of ours or lacks its value.
static bool take_option(struct options *o, int argc, char **argv, int *i)
{
    const char *value = *i + 1 < argc ? argv[*i + 1] : NULL;
    struct str name = str_of(argv[*i]);

    ++*i;
    if (!value) return false;
    if (str_eq(name, STR("--packs"))) {
        o->packs_dir = value;
        return true;
    }
    if (str_eq(name, STR("--zoneinfo"))) {
        o->zoneinfo = value;
        return true;
    }
    return str_eq(name, STR("--today")) && calendar_parse_day(str_of(value), &o->today);
}

static int parse(struct options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];

        if (word[0] == '-' && !take_option(o, argc, argv, &i))
            return usage("unknown option, or one without a good value: ", word);
        if (word[0] == '-') continue;
        if (o->command)
            o->files[o->file_count++] = word;
        else
            o->command = word;
    }
    return o->command ? EXIT_GOOD : usage("what shall it do?", "");
}

static int run(struct options *o)
{
    unsigned i = 0;
    int code;

    while (i < COUNT_OF(commands) && !str_eq(str_of(o->command), str_of(commands[i].name))) i++;
    if (i == COUNT_OF(commands)) return usage("knows no command ", o->command);
    code = load(o->packs_dir, o->zoneinfo);
    if (code == EXIT_GOOD) code = commands[i].run(o);
    unload();
    return code;
}

// --help and --version wherever they stand; true when one was asked.
static bool answer_question(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct str word = str_of(argv[i]);

        if (str_eq(word, STR("--help")))
            fputs(help, stdout);
        else if (str_eq(word, STR("--version")))
            fputs("dialgate-pack " DIALGATE_VERSION "\n", stdout);
        else
            continue;
        return true;
    }
    return false;
}

int main(int argc, char **argv)
{
    struct options o = {.zoneinfo = ZONES_DEFAULT,
                        .today = (int32_t)(clock_wall_s() / DAY_S),
                        .files = calloc((size_t)argc + 1, sizeof *o.files)};
    int code = EXIT_GOOD;

    CHECK(o.files);
    if (!answer_question(argc, argv)) {
        code = parse(&o, argc, argv);
        if (code == EXIT_GOOD) code = run(&o);
    }
    free(o.files);
    return fflush(stdout) ? EXIT_USAGE : code;
}
