// SPDX-License-Identifier: Apache-2.0
#include "engine/ledger/ledger_state.h"

static struct reserve_entry entry_of(const struct ledger_asker *who, uint64_t key)
{
    return (struct reserve_entry){.key = key, .group = who->group, .guid = who->guid};
}

static void drop(struct ledger *l, const struct reserve_entry *e)
{
    if (!e->key) return;
    if (e->guid)
        reserve_drop(&l->reserve, e);
    else
        reserve_drop_unnamed(&l->reserve, e);
}

enum reserve_kept ledger_reserve(struct ledger *l, const struct ledger_asker *who, int64_t now_s,
                                 int64_t until_s)
{
    struct reserve_entry device = entry_of(who, who->device), client = entry_of(who, who->client);
    enum reserve_kept by_device = RESERVE_PROLONGED, by_client = RESERVE_PROLONGED;

    if (device.key) by_device = reserve_keep(&l->reserve, &device, now_s, until_s);
    if (by_device != RESERVE_FULL && client.key)
        by_client = reserve_keep(&l->reserve, &client, now_s, until_s);
    if (by_client == RESERVE_FULL && by_device == RESERVE_TAKEN) drop(l, &device);
    return by_device < by_client ? by_device : by_client;
}

void ledger_release(struct ledger *l, const struct ledger_asker *who)
{
    struct reserve_entry device = entry_of(who, who->device), client = entry_of(who, who->client);

    drop(l, &device);
    drop(l, &client);
}

void ledger_settle(struct ledger *l, const struct ledger_asker *who)
{
    struct reserve_entry device = entry_of(who, who->device), client = entry_of(who, who->client);
    unsigned named = 0;

    if (who->guid && device.key) named += reserve_drop(&l->reserve, &device);
    if (who->guid && client.key) named += reserve_drop(&l->reserve, &client);
    if (named) return;
    if (device.key) reserve_drop_unnamed(&l->reserve, &device);
    if (client.key) reserve_drop_unnamed(&l->reserve, &client);
}
