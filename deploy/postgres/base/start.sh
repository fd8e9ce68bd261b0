#!/bin/sh
# Starts one of two PostgreSQL servers as what it may be now, by asking the other one. Never as a primary while the
# other is one, nor while nobody knows what the other is. docs/postgres.md explains; PostgreSQL 14 or newer.
#
# PGDATA       data folder, with its parent on the same volume
# PG_NAME      this server's name, which is also its replication slot on the other: letters, digits, _
# PG_PEER      libpq words for the other server, without a database: "host=pg-sfo3 port=5432 user=replicator"
#              the role needs what docs/postgres.md grants
# PG_PASSFILE  a file as libpq's PGPASSFILE, that others may read as well: a mounted secret
# PG_DATABASE  pult's own database, which no fence closes: pult
# PG_BOOTSTRAP name of the server that may create the very first data; leave it out once that is done
# PG_BOOTSTRAP_SQL  file with SQL for that first data (roles, pult's database), each line a statement, run in template1
#
# Arguments are handed to postgres: -c config_file=…
# A file "$PGDATA.alone" lets a former primary start although the other is silent, once: only where it is known off.
set -eu
export LC_ALL=C
: "${PGDATA:?}" "${PG_NAME:?}" "${PG_PEER:?}"
database=${PG_DATABASE:-pult}
pause=${PG_PAUSE:-2} # seconds between two questions
before=
if [ -n "${PG_PASSFILE:-}" ]; then # libpq reads none that a group may read, and Kubernetes mounts no other
    PGPASSFILE=${TMPDIR:-/tmp}/pgpass
    (umask 077 && cat "$PG_PASSFILE" >"$PGPASSFILE")
    export PGPASSFILE
fi

say() { # each thing once
    [ "$1" = "$before" ] || echo "start: $1" >&2
    before=$1
}

# As a walsender: that is let in whatever a fence has closed. Words: standby (on or off), system, timeline.
ask() {
    psql -XAtq -w -v ON_ERROR_STOP=1 -F ' ' -d "$PG_PEER dbname=postgres replication=true connect_timeout=3" \
        -c 'SHOW in_hot_standby' -c 'IDENTIFY_SYSTEM' 2>/dev/null |
        { read -r standby && read -r system timeline rest && echo "$standby $system $timeline"; }
}

sql() { psql -XAtq -w -d "$PG_PEER dbname=$database connect_timeout=3" -c "$1"; }

control() { pg_controldata -D "$PGDATA" | sed -n "s/^$1: *//p"; }

# The other server keeps what this one has not received yet. "Already there" is as good.
slot() {
    psql -XAtq -w -d "$PG_PEER dbname=postgres replication=true connect_timeout=3" \
        -c "CREATE_REPLICATION_SLOT $PG_NAME PHYSICAL RESERVE_WAL" >/dev/null 2>&1 || true
}

clone() { # beside what is there, which stays until the copy is whole
    say "copying the other server"
    rm -rf "$PGDATA.clone" &&
        pg_basebackup -w -D "$PGDATA.clone" -d "$PG_PEER" -S "$PG_NAME" -X stream --checkpoint=fast &&
        touch "$PGDATA.clone/standby.signal" &&
        rm -rf "$PGDATA.old" || return 1
    [ ! -e "$PGDATA" ] || mv "$PGDATA" "$PGDATA.old" || return 1
    mv "$PGDATA.clone" "$PGDATA" && rm -rf "$PGDATA.rewinding" "$PGDATA.old"
}

rewind() { # one that broke off leaves nothing that could be used: then only a copy helps
    [ ! -e "$PGDATA.rewinding" ] || return 1
    say "rewinding to where the other server went its own way"
    touch "$PGDATA.rewinding" &&
        pg_rewind -D "$PGDATA" --source-server="$PG_PEER dbname=$database" >&2 &&
        touch "$PGDATA/standby.signal" &&
        rm -f "$PGDATA.rewinding"
}

# The fork must be in the other's control file, which pg_rewind goes by before version 16; a checkpoint brings it there.
settled() {
    sql CHECKPOINT >/dev/null && [ "$(sql 'SELECT timeline_id FROM pg_control_checkpoint()')" = "$1" ]
}

follow() { # the other is a primary of timeline $1: become its standby
    if ! settled "$1"; then
        say "the other server is a primary, but does not let itself be copied yet"
        return 1
    fi
    slot
    rewind || clone
}

empty() { # nothing is here: only the very first server may begin with nothing
    if [ "$peer" = primary ]; then
        slot
        clone && return 0
    elif [ "$peer" = silent ] && [ "${PG_BOOTSTRAP:-}" = "$PG_NAME" ] && [ ! -e "$PGDATA.old" ]; then
        say "creating the first data"
        rm -rf "$PGDATA.clone"
        initdb -D "$PGDATA.clone" -k -E UTF8 --locale=C -U postgres >/dev/null || return 1
        [ -z "${PG_BOOTSTRAP_SQL:-}" ] || seed || return 1
        mv "$PGDATA.clone" "$PGDATA"
        return 0
    fi
    say "nothing is here, and the other server is $peer: waiting"
    return 1
}

seed() { # each line a statement; in template1, since rights to functions are kept in each database apart
    grep -v '^ *--' "$PG_BOOTSTRAP_SQL" | postgres --single -D "$PGDATA.clone" template1 >/dev/null
}

# Whether this server may start now, as what its standby.signal says.
ready() {
    [ -s "$PGDATA/PG_VERSION" ] || { empty; return; }
    if [ "$peer" != silent ] && [ "$system" != "$(control 'Database system identifier')" ]; then
        say "the other server holds other data (system $system): a person has to look"
        return 1
    fi
    if [ -e "$PGDATA.rewinding" ] && [ "$peer" != primary ]; then
        say "a rewind broke off, and the other server is $peer: waiting"
        return 1
    fi
    mine=$(control "Latest checkpoint's TimeLineID")
    case $peer in
        primary)
            if [ -e "$PGDATA.rewinding" ] || { [ ! -e "$PGDATA/standby.signal" ] && [ "$timeline" -gt "$mine" ]; }; then
                follow "$timeline"
                return
            fi
            [ -e "$PGDATA/standby.signal" ] && slot && return 0
            say "the other server is a primary too, on timeline $timeline, this one on $mine: a person has to look"
            return 1
            ;;
        standby)
            [ -e "$PGDATA/standby.signal" ] || [ "$timeline" -le "$mine" ] && return 0
            say "the other server has been on timeline $timeline, this one on $mine: waiting until it is a primary"
            return 1
            ;;
        silent)
            [ -e "$PGDATA/standby.signal" ] && return 0
            if [ -e "$PGDATA.alone" ]; then
                say "starting alone, as somebody has decided"
                rm -f "$PGDATA.alone"
                return 0
            fi
            say "this was a primary, and the other server does not answer: it may be one now. Waiting"
            return 1
            ;;
    esac
}

# A postmaster that was killed leaves its number behind. In a container that is always 1, which is now this script: the
# server would start all the same, but a rewind of it would not.
stale() {
    [ -s "$PGDATA/postmaster.pid" ] && read -r pid <"$PGDATA/postmaster.pid" || return 0
    if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = postgres ] && ! grep -q '^State:.Z' "/proc/$pid/status"; then
        echo "start: a server runs on $PGDATA already (process $pid)" >&2
        exit 1
    fi
    rm -f "$PGDATA/postmaster.pid"
}

stale
trap 'exit 143' INT TERM
while :; do
    peer=silent system= timeline=
    if told=$(ask) && [ -n "$told" ]; then
        set -f
        system=${told#* } timeline=${told##* }
        system=${system%% *}
        case ${told%% *} in on) peer=standby ;; off) peer=primary ;; esac
        set +f
    fi
    ready && break
    sleep "$pause" &
    wait $!
done
say "starting; the other server is $peer"
exec postgres -D "$PGDATA" -c "primary_conninfo=$PG_PEER application_name=$PG_NAME" -c "primary_slot_name=$PG_NAME" \
    -c hot_standby=on -c recovery_target_timeline=latest "$@"
