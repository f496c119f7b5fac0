// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/core/tenant.h"
#include "engine/core/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int load(struct tenants *t, char **argv, int argc, struct err_info *info)
{
    struct conf conf;
    int err = conf_load(&conf, argc, argv, info);

    assert_int_equal(err, 0);
    err = tenant_table_init(t, &conf, info);
    conf_done(&conf);
    return err;
}

static void default_alone_answers_for_everybody(void **state)
{
    struct tenants t;
    struct err_info info;

    (void)state;
    assert_int_equal(load(&t, (char *[]){"x"}, 1, &info), 0);
    assert_int_equal(t.count, 1);
    assert_int_equal(tenant_resolve(&t, STR(""), STR("")), 0);
    assert_int_equal(tenant_resolve(&t, STR(""), STR("whoever")), 0);
    assert_int_equal(tenant_resolve(&t, STR("default"), STR("whoever")), 0);
    // a path is meant: an unknown one is never quietly the default's
    assert_int_equal(tenant_resolve(&t, STR("whoever"), STR("")), -1);
}

static void named_tenants_refuse_unknown_names(void **state)
{
    char *argv[] = {"x", "--tenant", "acme,ccid=77,country=GB", "--tenant", "globex"};
    struct tenants t;
    struct err_info info;

    (void)state;
    assert_int_equal(load(&t, argv, 5, &info), 0);
    assert_int_equal(t.count, 3);
    assert_int_equal(tenant_resolve(&t, STR(""), STR("acme")), 1);
    assert_int_equal(tenant_resolve(&t, STR(""), STR("77")), 1);
    assert_int_equal(tenant_resolve(&t, STR("globex"), STR("acme")), 2);
    assert_int_equal(tenant_resolve(&t, STR(""), STR("initech")), -1);
    assert_int_equal(tenant_resolve(&t, STR(""), STR("ACME")), -1);
    assert_int_equal(tenant_resolve(&t, STR(""), STR("")), 0);
    assert_string_equal(t.tenant[1].home.region, "GB");
    assert_string_equal(t.tenant[2].home.region, "US");
}

static void bad_tenants_do_not_start(void **state)
{
    static char *const bad[] = {"",
                                "a b",
                                "../x",
                                "acme,ccid=",
                                "acme,country=USA",
                                "acme,color=red",
                                "-acme",
                                "acme,country=QQ"};
    struct tenants t;
    struct err_info info;

    (void)state;
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char *argv[] = {"x", "--tenant", bad[i]};

        assert_int_equal(load(&t, argv, 3, &info), ERR_CONFIG);
        assert_true(info.text[0] != '\0');
    }
    assert_int_equal(load(&t, (char *[]){"x", "--tenant", "a", "--tenant", "a"}, 5, &info),
                     ERR_CONFIG);
    assert_int_equal(load(&t, (char *[]){"x", "--tenant", "a,ccid=b", "--tenant", "b"}, 5, &info),
                     ERR_CONFIG);
}

static const char *write_tokens(const char *text)
{
    static char path[] = "/tmp/dialgate-test-tokens-XXXXXX";
    int fd;

    snprintf(path, sizeof path, "/tmp/dialgate-test-tokens-XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    return path;
}

static void tokens_are_found_and_bound(void **state)
{
    struct tenants tenants;
    struct tokens t;
    struct err_info info;
    const char *path = write_tokens("# ours\n0123456789abcdef\n\nfedcba9876543210 tenant=acme\n");

    (void)state;
    assert_int_equal(load(&tenants, (char *[]){"x", "--tenant", "acme"}, 3, &info), 0);
    assert_int_equal(token_load(&t, path, &tenants, &info), 0);
    unlink(path);
    assert_int_equal(t.count, 2);
    assert_int_equal(token_find(&t, STR("Bearer 0123456789abcdef"))->tenant, -1);
    assert_int_equal(token_find(&t, STR("bearer  fedcba9876543210"))->tenant, 1);
    assert_null(token_find(&t, STR("Bearer 0123456789abcdeF")));
    assert_null(token_find(&t, STR("Bearer 0123456789abcde")));
    assert_null(token_find(&t, STR("Bearer ")));
    assert_null(token_find(&t, STR("Basic 0123456789abcdef")));
    assert_null(token_find(&t, (struct str){NULL, 0}));
}

static void bad_token_files_do_not_start(void **state)
{
    static const char *const bad[] = {"", "# nothing\n", "short\n",
                                      "0123456789abcdef tenant=nobody\n",
                                      "0123456789abcdef role=admin\n"};
    struct tenants tenants;
    struct tokens t;
    struct err_info info;

    (void)state;
    assert_int_equal(load(&tenants, (char *[]){"x"}, 1, &info), 0);
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *path = write_tokens(bad[i]);

        assert_int_equal(token_load(&t, path, &tenants, &info), ERR_CONFIG);
        assert_null(strstr(info.text, "0123456789abcdef")); // no token in a message
        unlink(path);
    }
    assert_int_equal(token_load(&t, "/nonexistent/tokens", &tenants, &info), ERR_IO);
    assert_int_equal(token_load(&t, "", &tenants, &info), 0);
    assert_int_equal(t.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_alone_answers_for_everybody),
        cmocka_unit_test(named_tenants_refuse_unknown_names),
        cmocka_unit_test(bad_tenants_do_not_start),
        cmocka_unit_test(tokens_are_found_and_bound),
        cmocka_unit_test(bad_token_files_do_not_start),
    };

    if (number_start() < 0) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
