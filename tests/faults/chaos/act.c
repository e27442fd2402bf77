#include "act.h"

static const harness_postgres_stop_mode STOP_MODES[] = {
    [CHAOS_POSTGRES_FAST] = HARNESS_POSTGRES_FAST,
    [CHAOS_POSTGRES_IMMEDIATE] = HARNESS_POSTGRES_IMMEDIATE,
    [CHAOS_POSTGRES_KILL] = HARNESS_POSTGRES_KILL,
};

/* Calls `strike` for each link that the fault names. */
static void for_links(world *w, const chaos_fault *fault, void (*strike)(harness_proxy *link, const chaos_fault *fault))
{
    for (int service = 0; service < CHAOS_SERVICES; service++) {
        for (int server = 0; server < CHAOS_SERVERS; server++) {
            int link = chaos_link(service, (chaos_server)server);
            bool struck = fault->target == link || fault->target == CHAOS_LINKS + server;
            if (struck && w->links[link] != NULL)
                strike(w->links[link], fault);
        }
    }
}

static void strike_link(harness_proxy *link, const chaos_fault *fault)
{
    int64_t latency_ms, bytes_per_second;
    switch (fault->kind) {
    case CHAOS_LINK_FIN:
        (void)harness_proxy_cut(link, HARNESS_PROXY_FIN);
        return;
    case CHAOS_LINK_RST:
        (void)harness_proxy_cut(link, HARNESS_PROXY_RST);
        return;
    case CHAOS_LINK_STALL:
        harness_proxy_stall(link, (harness_proxy_direction)fault->detail);
        return;
    case CHAOS_LINK_SLOW:
        chaos_slowness(fault->detail, &latency_ms, &bytes_per_second);
        harness_proxy_slow(link, latency_ms, bytes_per_second);
        return;
    default:
        harness_proxy_refuse(link);
        (void)harness_proxy_cut(link, HARNESS_PROXY_RST);
        return;
    }
}

static void heal_link(harness_proxy *link, const chaos_fault *fault)
{
    (void)fault;
    harness_proxy_heal(link);
}

static void terminate_sessions(world *w)
{
    (void)world_number(w, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                          "WHERE datname = current_database() AND pid <> pg_backend_pid()");
}

static void begin_server(world *w, const chaos_fault *fault)
{
    switch (fault->kind) {
    case CHAOS_NATS_STOP:
        harness_nats_stop(w->nats);
        return;
    case CHAOS_NATS_KILL:
        harness_nats_kill(w->nats);
        return;
    case CHAOS_NATS_PAUSE:
        harness_nats_pause(w->nats);
        return;
    case CHAOS_POSTGRES_TERMINATE:
        terminate_sessions(w);
        return;
    case CHAOS_NODE_KILL:
        world_kill_node(w);
        return;
    case CHAOS_NODE_PAUSE:
        harness_process_pause(w->node);
        return;
    case CHAOS_NODE_FAULT:
        (void)world_set_node_fault(w, chaos_node_fault(fault->detail));
        return;
    default:
        harness_postgres_stop(w->postgres, STOP_MODES[fault->kind]);
        return;
    }
}

void act_begin(world *w, const chaos_fault *fault)
{
    switch (fault->kind) {
    case CHAOS_SERVICE_KILL:
        replica_kill(&w->services[fault->target]);
        if (fault->duration_ms == 0)
            replica_start(&w->services[fault->target]);
        return;
    case CHAOS_SERVICE_PAUSE:
        replica_pause(&w->services[fault->target]);
        return;
    case CHAOS_SERVICE_TERM:
        replica_stop(&w->services[fault->target]);
        return;
    default:
        if (fault->kind >= CHAOS_LINK_FIN)
            for_links(w, fault, strike_link);
        else
            begin_server(w, fault);
        return;
    }
}

static void end_server(world *w, const chaos_fault *fault)
{
    switch (fault->kind) {
    case CHAOS_NATS_STOP:
    case CHAOS_NATS_KILL:
        harness_nats_start(w->nats);
        return;
    case CHAOS_NATS_PAUSE:
        harness_nats_resume(w->nats);
        return;
    case CHAOS_NODE_KILL:
        world_start_node(w);
        return;
    case CHAOS_NODE_PAUSE:
        harness_process_resume(w->node);
        return;
    case CHAOS_NODE_FAULT:
        (void)world_set_node_fault(w, NULL);
        return;
    default:
        harness_postgres_start(w->postgres);
        return;
    }
}

void act_end(world *w, const chaos_fault *fault)
{
    switch (fault->kind) {
    case CHAOS_SERVICE_KILL:
        replica_start(&w->services[fault->target]);
        return;
    case CHAOS_SERVICE_PAUSE:
        replica_resume(&w->services[fault->target]);
        return;
    case CHAOS_SERVICE_TERM:
        return;
    default:
        if (fault->kind >= CHAOS_LINK_FIN)
            for_links(w, fault, heal_link);
        else
            end_server(w, fault);
        return;
    }
}

void act_heal(world *w)
{
    harness_postgres_start(w->postgres);
    harness_nats_start(w->nats);
    harness_nats_resume(w->nats);
    world_start_node(w);
    harness_process_resume(w->node);
    (void)world_set_node_fault(w, NULL);
    for (int i = 0; i < CHAOS_LINKS; i++)
        if (w->links[i] != NULL)
            harness_proxy_heal(w->links[i]);
    for (int i = 0; i < CHAOS_SERVICES; i++) {
        replica_resume(&w->services[i]);
        replica_start(&w->services[i]);
    }
}
