-- Roles, databases, settings, and what a cluster as a whole may be like.

--# roles
create role holder login password 'geheim' valid until '2030-01-01' connection limit 3;
create role md5er login password 'md5d41d8cd98f00b204e9800998ecf8427e'; create role admin_ createdb createrole bypassrls replication noinherit;
create role member_ in role admin_; grant holder to member_ with admin option; grant pg_read_all_data to holder;
alter role holder set work_mem = '5MB'; alter role holder in database :DBNAME set search_path = 'x', "y z";
create table t (a int, b int, c text) ; grant select (a), update (b) on t to holder; grant insert on t to holder with grant option; grant all on t to public;
alter default privileges in schema roles grant select on tables to holder; alter default privileges for role admin_ revoke execute on functions from public;
grant usage on language plpgsql to holder; grant set on parameter log_min_messages to holder; grant alter system on parameter work_mem to admin_ with grant option; grant set on parameter "my.own" to holder;
revoke connect on database template1 from public; grant temporary on database :DBNAME to holder;

--# setting_of_all_roles
-- pg_dumpall does not carry it.
--@ not compared? */*
alter role all set lock_timeout = '1h'; create table t (a int); insert into t values (1);

--# membership_options
--@ since 16
create role a; create role b; create role c; grant a to b with inherit false, set false; grant a to c with admin true granted by postgres; create role d createrole; set role d; create role e; grant e to d with set true; reset role;

--# superuser_settings
alter role postgres set default_transaction_read_only = on; alter role postgres set quote_all_identifiers = on; alter role postgres set statement_timeout = '10min';
alter role postgres set standard_conforming_strings = off; alter role postgres set transform_null_equals = on; alter role postgres set array_nulls = off; alter role postgres set check_function_bodies = on;
create role someone; set default_transaction_read_only = off; create table t (a int); insert into t values (1);

--# zone_and_style_of_the_superuser
create role passing valid until '2027-01-01 00:00:00+03';
create table t (at timestamptz, span tstzrange) partition by range (at);
create table t_1 partition of t for values from ('2026-01-01 00:00+01') to ('2026-07-01 00:00+02');
create table t_2 partition of t default;
insert into t values ('2026-02-03 04:05+06', '[2026-02-03 04:05+06,)'), (now(), null);
alter role postgres set timezone = 'Europe/Berlin'; alter role postgres set datestyle = 'SQL, DMY'; alter role postgres set intervalstyle = 'sql_standard';

--# superuser_takes_a_role
create role humble; grant all on schema public to humble; create table t (a int); insert into t values (1); alter role postgres set role = humble;

--# template_database
create database patterns is_template true; 
\c patterns
create table t as select 1 as n; create sequence s; select nextval('s');
\c template1
create table in_template1 as select 'x' as a;

--# read_only_database
create database fixed_;
\c fixed_
create table t as select 1 as n; alter database fixed_ set default_transaction_read_only = on; alter database fixed_ set default_transaction_isolation = 'serializable'; alter database fixed_ set default_transaction_deferrable = on;

--# unconnectable_database
--@ not compared closed
create database closed;
\c closed
create table t as select 1 as n;
\c postgres
alter database closed allow_connections false;

--# connection_limits
create database narrow connection limit 1; create database none_ connection limit 0;
\c narrow
create table t as select 1 as n;

--# invalid_database
--@ not compared half_gone
create database half_gone; update pg_database set datconnlimit = -2 where datname = 'half_gone';

--# database_owners
create role landlord; create database let owner landlord template template0; alter database let set search_path = ''; revoke all on database let from public;
\c let
drop schema public; create schema s authorization landlord; create table s.t as select 1 as n;

--# many_databases
--@ setting max_connections = 20
--@ setting max_wal_senders = 4
select format('create database many%s strategy file_copy', g) from generate_series(1, 22) g \gexec
\c many7
create table t as select 1 as n;

--# icu_database
select exists (select from pg_collation where collname = 'de-x-icu') as icu \gset
\if :icu
create database german locale_provider icu icu_locale 'de-DE' template template0;
\c german
create table t (a text primary key); insert into t values ('ä'), ('z'), ('a');
\else
create database german locale 'C' template template0;
\endif

--# builtin_locale
--@ since 17
create database built locale_provider builtin builtin_locale 'C.UTF-8' template template0;
\c built
create table t (a text primary key); insert into t values ('ä'), ('Z'), ('a');

--# pid_file
--@ folder outside
--@ setting external_pid_file = '%(outside)s/postmaster.pid'
create table t (a int); insert into t values (1);

--# quoting_settings
--@ setting quote_all_identifiers = on
--@ setting bytea_output = 'escape'
--@ setting extra_float_digits = -15
--@ setting intervalstyle = 'sql_standard'
--@ setting datestyle = 'SQL, DMY'
--@ setting timezone = 'America/St_Johns'
--@ setting xmloption = 'document'
create table t (a float8, b interval, c timestamptz, d bytea); insert into t values (0.1, '1 mon -1 day', '2020-03-04 05:06:07.5Z', '\xff00');

--# read_only_server
--@ later default_transaction_read_only = on
create table t (a int); insert into t values (1);

--# short_timeouts
--@ setting statement_timeout = '20s'
--@ setting lock_timeout = '5s'
--@ setting idle_in_transaction_session_timeout = '5s'
--@ setting idle_session_timeout = '60s'
create table t (a int); insert into t select generate_series(1, 1000);

--# harmful_commands
--@ setting archive_mode = on
--@ setting archive_command = 'true'
--@ setting archive_cleanup_command = 'touch /nowhere/x'
--@ setting recovery_end_command = 'false'
--@ setting restore_command = 'false'
--@ setting primary_conninfo = 'host=nowhere.invalid'
--@ setting recovery_min_apply_delay = '1h'
create table t (a int); insert into t values (1);

--# harmful_files
--@ setting logging_collector = on
--@ setting log_directory = 'a log'
--@ setting log_destination = 'csvlog'
--@ setting dynamic_library_path = '/nowhere:$libdir'
--@ setting krb_server_keyfile = '/nowhere'
create table t (a int); insert into t values (1);

--# preloaded
--@ contrib
--@ setting shared_preload_libraries = 'pg_stat_statements,auto_explain'
--@ setting session_preload_libraries = 'auth_delay'
--@ setting pg_stat_statements.max = 200
create extension pg_stat_statements schema public; create table t (a int); insert into t values (1);

--# compatibility_settings
--@ setting standard_conforming_strings = off
--@ setting transform_null_equals = on
--@ setting array_nulls = off
--@ setting row_security = off
--@ setting backslash_quote = off
--@ setting default_toast_compression = 'pglz'
create table t (a int, b text); insert into t values (1, null);

--# large_segments
--@ initdb --wal-segsize=64
create table t (a int); insert into t values (1);

--# small_segments
--@ initdb --wal-segsize=1
create table t (a int, b text); insert into t select g, repeat('x', 500) from generate_series(1, 10000) g;

--# without_checksums
--@ initdb --no-data-checksums
create table t (a int); insert into t values (1);

--# group_access
--@ initdb --allow-group-access
create table t (a int); insert into t values (1);

--# other_locale
--@ initdb --locale=C
--@ initdb --encoding=SQL_ASCII
create table "Größe" (a text); insert into "Größe" values ('ü'), (E'\xff');

--# other_superuser
--@ superuser O Brien
create table t (a int); insert into t values (1);

--# minimal_connections
--@ setting max_connections = 8
--@ setting superuser_reserved_connections = 3
--@ setting max_wal_senders = 2
create table t (a int); insert into t values (1);

--# prepared_transactions
--@ setting max_prepared_transactions = 5
create table t (a int); create table u (a int); insert into t values (1);
begin; insert into t values (2); create table made_by_it (n int); select lo_create(99); prepare transaction 'it''s "prepared"';
begin; update u set a = 1; prepare transaction 'second';

--# temp_tables
create table t (a int); insert into t values (1);
--@ session
create temp table passing (n int, s serial); insert into passing values (1); create temp sequence gone; create temp view v as select 1; select pg_advisory_lock(1);

--# open_transaction
create table t (a int); insert into t values (1); create table u (a int);
--@ session
begin; insert into open_transaction.t values (2); create table open_transaction.unborn (n int); lock table open_transaction.u in share mode;

--# exclusive_lock
create table t (a int); insert into t values (1);
--@ not compared? t
--@ no snapshot: a dump cannot read the table
--@ session
begin; lock table exclusive_lock.t in access exclusive mode;

--# old_snapshot
create table t (a int); insert into t values (1);
--@ session
begin isolation level repeatable read; select * from old_snapshot.t;
