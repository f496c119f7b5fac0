// SPDX-License-Identifier: Apache-2.0
#include "engine/base/clock.h"
#include "tests/unit/rule/fixture.h"

struct text {
    char *ptr;
    size_t size;
};

static struct text repeated(const char *head, const char *piece, const char *tail, size_t size)
{
    struct text t = {malloc(size + 64), 0};
    size_t piece_size = strlen(piece);

    t.size = strlen(head);
    memcpy(t.ptr, head, t.size);
    while (t.size + piece_size + strlen(tail) + 1 < size) {
        memcpy(t.ptr + t.size, piece, piece_size);
        t.size += piece_size;
    }
    t.size -= piece[piece_size - 1] == ',';
    memcpy(t.ptr + t.size, tail, strlen(tail) + 1);
    t.size += strlen(tail);
    for (size_t i = 0; i < t.size; i++)
        if (t.ptr[i] == '\'') t.ptr[i] = '"';
    return t;
}

// Refused within the time, which is generous because sanitizers are slow.
static void hostile(const char *head, const char *piece, const char *tail, unsigned errors_min)
{
    struct text t = repeated(head, piece, tail, RULESET_TEXT_MAX);
    struct ruleset *set = NULL;
    int64_t begin_ns = clock_mono_ns();
    int err;

    memset(&fixture.errors, 0, sizeof fixture.errors);
    err = ruleset_parse(&set, str_make(t.ptr, t.size), fixture.places, fixture.packs,
                        fixture_has_list, NULL, &fixture.errors);
    print_message("%6.1f ms, %u errors: %.20s… %.40s…\n",
                  (double)(clock_mono_ns() - begin_ns) / 1e6, fixture.errors.count, head, piece);
    free(t.ptr);
    ruleset_unref(set);
    if (errors_min) {
        assert_int_equal(err, ERR_BAD_VALUE);
        assert_true(fixture.errors.count >= errors_min);
        assert_true(fixture.errors.shown <= RULESET_ERRORS_MAX);
    }
    assert_true(clock_mono_ns() - begin_ns < 2000000000);
}

// Words of one letter: nothing costs more to read for its length.
#define RESULTS "1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9,"
#define COUNTS  "AttemptsOnDevice(1M,[" RESULTS RESULTS RESULTS RESULTS RESULTS RESULTS "1])>=1 or "

static void test_hostile(void **state)
{
    (void)state;
    hostile("", "[", "", 1);
    hostile("{'version':'1',", "'x':0,", "}", 100000);
    hostile("{'version':'1',", "'version':0,", "}", 100000);
    hostile("{'version':'", "aaaaaaaa", "'}", 1);
    hostile("{'version':'1','rules':[", "{},", "]}", 1000);
    hostile("{'version':'1','rules':[", "{'name':'a','type':'location'},", "]}", 1000);
    hostile("{'version':'1','rules':[{", "'verzion':0,", "}]}", 100000);
    hostile("{'version':'1','plans':[", "{'campaign_group':'a'},", "]}", 4000);
    hostile("{'version':'1','plans':[", "{'campaign_group':'a','rules':['a','b','c','d']},", "]}",
            1000);
    hostile("{'version':'1','lists':[", "{'name':'a'},", "]}", 300);
    hostile("{'version':'1','packs':[", "'us-federal',", "]}", 60);
    hostile("{'version':'1','rules':[{'name':'a','type':'location','where':{'state':[", "'ZZ',",
            "]}}]}", 100);
    hostile("{'version':'1','rules':[",
            "{'name':'a','type':'location','where':{'country':['US','US','US'],'state':['TX','TX',"
            "'CA','CA','CA','NV','NV']}},",
            "]}", 1000);
    hostile("{'version':'1','rules':[{'name':'a','type':'contact_times','windows':[",
            "{'days':'daily','from':'00:00','till':'24:00'},", "]}]}", 1000);
    hostile("{'version':'1','rules':[",
            "{'name':'a','type':'contact_dates','calendars':['us-federal','us-federal',"
            "'us-federal','us-federal','us-federal','us-federal','us-federal']},",
            "]}", 1000);
    hostile("{'version':'1','rules':[",
            "{'name':'a','type':'custom','block_if':'$A == 1 and $B == 2 and not ($C == 3)'},",
            "]}", 1000);
    hostile("{'version':'1','rules':[",
            "{'name':'a','type':'custom','block_if':'" COUNTS COUNTS COUNTS COUNTS "$A==1'},", "]}",
            1000);
    hostile("{'version':'1','rules':[{'name':'a','type':'attempts','results':[", "'Bussy',", "]}]}",
            100);
    hostile("{'version':'1','rules':[{'name':'a','type':'contact_dates','dates':[", "'easter',",
            "]}]}", 1);
}

static void test_too_large(void **state)
{
    struct text t = repeated("{'version':'1'", "        ", "}", RULESET_TEXT_MAX + 100);
    struct ruleset *set = NULL;

    (void)state;
    memset(&fixture.errors, 0, sizeof fixture.errors);
    assert_int_equal(ruleset_parse(&set, str_make(t.ptr, t.size), fixture.places, fixture.packs,
                                   NULL, NULL, &fixture.errors),
                     ERR_BAD_VALUE);
    has_error("", "at most 4194304 are allowed");
    free(t.ptr);
}

// Every beginning of a document is refused, none of them crashes.
static void test_truncated(void **state)
{
    char *json = fixture_json(fixture_contract);
    size_t size = strlen(json);

    (void)state;
    for (size_t n = 0; n < size; n++) {
        struct ruleset *set = NULL;
        char *copy = malloc(n + 1); // exactly as long, so that a sanitizer sees a step beyond

        memcpy(copy, json, n);
        memset(&fixture.errors, 0, sizeof fixture.errors);
        assert_int_equal(ruleset_parse(&set, str_make(copy, n), fixture.places, fixture.packs,
                                       fixture_has_list, NULL, &fixture.errors),
                         ERR_BAD_VALUE);
        assert_int_equal(fixture.errors.count, 1);
        free(copy);
    }
    free(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_truncated),
    };

    return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
