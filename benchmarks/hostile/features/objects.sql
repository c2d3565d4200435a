-- Objects that are no tables.

--# views
create table t (a int primary key, b text, c varchar(10)); insert into t values (1, 'x', 'y');
create view v with (security_barrier, security_invoker) as select a, b from t where c in ('x', 'y') with local check option;
create view u as select a from t union select 1 union all select a from v order by 1;
create recursive view n (x) as select 1 union all select x + 1 from n where x < 5;
create view w as select b, count(*) over (partition by c), (select max(a) from t where c not in ('p', 'q')) from t group by b, c;
alter view v alter b set default 'vb'; comment on column v.a is 'it''s';
create view z as select a from t group by a, b; create view aliases as select x.* from t as x (p, q);
create view pair as select t, t.* from t; create view none_ as select;

--# materialized_views
create table t (a int, b numeric); insert into t values (1, 1.0), (2, 2.0);
create materialized view stale as select * from t; create unique index on stale (a); create materialized view unpopulated as select * from t with no data;
create materialized view second_ as select a + 1 as a from stale; create index on second_ (a);
create materialized view aged as select now() as at, random() as r; create index on unpopulated (b);
insert into t values (3, 3.0); update t set b = 1.00 where a = 1; grant select on stale to public;

--# rules
create table t (a int, b text); create table log (a int); create view v as select * from t;
create rule ins as on insert to v do instead insert into t values (new.*) returning *;
create rule also as on update to t where new.a > 5 do also insert into log values (old.a);
create rule never as on delete to t do instead nothing; alter table t disable rule never;
create rule told as on update to log do also notify told; alter table log enable always rule told;
insert into v values (1, 'x');

--# triggers
create table t (a int, b text);
create function f() returns trigger language plpgsql as $$ begin return coalesce(new, old); end $$;
create trigger one before insert or update of a on t for each row when (new.b in ('x', 'y')) execute function f('arg', 'it''s');
create trigger two after delete on t referencing old table as gone for each statement execute function f();
create trigger three before truncate on t execute function f(); create trigger four after insert on t execute function f();
alter table t enable always trigger one; alter table t enable replica trigger two; alter table t disable trigger three;
create constraint trigger five after insert on t deferrable initially deferred for each row execute function f();
create view v as select * from t; create trigger six instead of insert on v for each row execute function f();
create table p (a int) partition by range (a); create table p1 partition of p for values from (1) to (9);
create trigger seven after insert on p for each row execute function f(); alter table p1 disable trigger seven;
alter trigger four on t depends on extension plpgsql; insert into t values (1, 'x');

--# policies
create role watcher; create table t (a int, owner_ name default current_user); insert into t values (1), (2);
alter table t enable row level security; alter table t force row level security;
create policy own on t to watcher using (owner_ = current_user) with check (a > 0);
create policy few on t as restrictive for select using (a in (1, 2) and owner_ not in ('x', 'y'));
alter table t owner to watcher;

--# event_triggers
create table seen (tag text, n int);
create function told() returns event_trigger language plpgsql as $$ begin insert into event_triggers.seen values (tg_tag, 1); end $$;
create event trigger on_end on ddl_command_end execute function told();
create event trigger on_drop on sql_drop when tag in ('DROP TABLE', 'DROP SCHEMA') execute function told();
create event trigger on_rewrite on table_rewrite execute function told(); alter event trigger on_rewrite enable always;

--# ddl_guard
create function guard() returns event_trigger language plpgsql as $$ begin raise exception 'no DDL here: %', tg_tag; end $$;
create table t (a int); insert into t values (1);
create event trigger guard on ddl_command_start execute function guard(); alter event trigger guard enable always;

--# login_trigger
--@ since 17
create table visits (at timestamptz);
create function enters() returns event_trigger language plpgsql as $$ begin
  if not pg_is_in_recovery() and session_user = 'visitor' then raise exception 'closed'; end if; end $$;
create event trigger enters on login execute function enters();

--# login_trigger_that_writes
--@ since 17
create table visits (at timestamptz default now());
create function enters() returns event_trigger language plpgsql as $$ begin
  if session_user = 'visitor' then insert into login_trigger_that_writes.visits default values; end if; end $$;
create event trigger writes_ on login execute function enters(); alter event trigger writes_ enable always;

--# login_trigger_that_fails_in_recovery
--@ since 17
create table visits (at timestamptz default now());
create function enters() returns event_trigger language plpgsql security definer as $$ begin
  perform 1; create temp table if not exists visitor (n int); drop table visitor; end $$;
create event trigger fails_ on login execute function enters(); alter event trigger fails_ enable always;

--# statistics_objects
create table t (a int, b int, c text); insert into t select g % 3, g % 5, 'c' || g from generate_series(1, 1000) g;
create statistics s (dependencies, ndistinct, mcv) on a, b from t; create statistics e on (a + b), lower(c) from t;
alter statistics s set statistics 50; comment on statistics s is 'said'; analyze t;

--# publications
create table t (a int primary key, b text); create table u (a int);
create publication p for table t (a) where (a > 5) with (publish = 'insert', publish_via_partition_root);
create publication every for all tables; create publication schemas for tables in schema publications; create publication none_;
alter publication every owner to postgres; comment on publication p is 'p';

--# subscriptions
create subscription s connection 'host=nowhere.invalid user=x password=secret' publication p with (connect = false, slot_name = none);
create subscription "S 2" connection 'host=nowhere.invalid' publication p, q with (connect = false, slot_name = 'some', binary, streaming);

--# operators
create function feq(text, text) returns bool immutable language sql as 'select length($1) = length($2)';
create function flt(text, text) returns bool immutable language sql as 'select length($1) < length($2)';
create function fle(text, text) returns bool immutable language sql as 'select length($1) <= length($2)';
create function fge(text, text) returns bool immutable language sql as 'select length($1) >= length($2)';
create function fgt(text, text) returns bool immutable language sql as 'select length($1) > length($2)';
create function fcmp(text, text) returns int immutable language sql as 'select length($1) - length($2)';
create operator <| (leftarg = text, rightarg = text, function = flt, commutator = |>, restrict = scalarltsel);
create operator |> (leftarg = text, rightarg = text, function = fgt, commutator = <|);
create operator <=| (leftarg = text, rightarg = text, function = fle); create operator |=> (leftarg = text, rightarg = text, function = fge);
create operator =|= (leftarg = text, rightarg = text, function = feq, merges); create operator !~! (rightarg = text, function = upper);
create operator family fam using btree; create operator class by_length for type text using btree family fam as
  operator 1 <| , operator 2 <=| , operator 3 =|= , operator 4 |=> , operator 5 |> , function 1 fcmp(text, text);
create table t (a text); insert into t values ('a'), ('bb'), ('cc'); create index on t (a by_length);

--# casts
create type pair as (a int, b int); create function to_pair(int) returns pair immutable language sql as 'select row($1, $1)::casts.pair';
create cast (int as pair) with function to_pair(int) as assignment; create cast (pair as text) with inout; comment on cast (int as pair) is 'c';

--# aggregates
create function add_(int, int) returns int immutable language sql as 'select coalesce($1, 0) + $2';
create aggregate total(int) (sfunc = add_, stype = int, initcond = '0', combinefunc = add_, parallel = safe, sortop = <);
create function minus_(int, int) returns int immutable language sql as 'select $1 - coalesce($2, 0)';
create aggregate moving(int) (sfunc = add_, stype = int, msfunc = add_, minvfunc = minus_, mstype = int);
create aggregate ranked(float8 order by anyelement) (sfunc = ordered_set_transition, stype = internal, finalfunc = percentile_disc_final, finalfunc_extra);

--# conversions
create conversion c for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8; create conversion d for 'UTF8' to 'LATIN1' from utf8_to_iso8859_1; comment on conversion d is 'd';

--# text_search
create text search dictionary d (template = simple, stopwords = english, accept = false);
create text search configuration c (copy = english); alter text search configuration c alter mapping for asciiword with d, english_stem;
create text search parser p (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype);
create text search template tp (lexize = dsimple_lexize, init = dsimple_init);
create table t (a text, v tsvector generated always as (to_tsvector('text_search.c', a)) stored); insert into t values ('the quick fox');

--# functions
create function a(int default 7, variadic b text[] default '{}') returns table (x int, y text) language sql stable leakproof cost 5 rows 7 parallel restricted set work_mem = '1MB' as $$ select 1, 'x' $$;
create procedure p(inout a int, out b int) language plpgsql security definer set search_path = pg_catalog as $$ begin commit; end $$;
create function atomic(a int) returns int language sql begin atomic; select a + 1; select a * 2 where a in (1, 2); end;
create function returns_ (a int) returns int immutable strict return a + 1; create function a(text) returns text language sql as $$ select '$_$' $$;
create function w() returns int language internal window as 'window_row_number';
create function poly(anycompatible, anycompatiblearray) returns anycompatible language sql as 'select $1';

--# missing_library
-- As after an upgrade of the operating system: a function whose library is no longer there.
--@ no snapshot: what needs the library cannot be loaded anywhere
create table t (a int); insert into t values (1), (2);
create function lost(int) returns int language c volatile strict as '$libdir/plpgsql', 'plpgsql_call_handler';
update pg_proc set probin = '/nowhere/lost.so', prosrc = 'lost' where proname = 'lost';
create table d (n int default lost(1)); insert into d values (1);

--# languages
create function calls() returns language_handler language c as '$libdir/plpgsql', 'plpgsql_call_handler';
create function inlines(internal) returns void language c strict as '$libdir/plpgsql', 'plpgsql_inline_handler';
create function validates(oid) returns void language c strict as '$libdir/plpgsql', 'plpgsql_validator';
create trusted language mine handler calls inline inlines validator validates;
create function f() returns int language mine as $$ begin return 1; end $$; comment on language mine is 'mine';
create access method heap2 type table handler heap_tableam_handler; create table t (n int) using heap2; insert into t values (1);
create access method tree type index handler bthandler;

--# large_objects
create role keeper;
select lo_create(4711), lo_from_bytea(4712, 'small'), lo_from_bytea(4713, '\x00ff00');
select lo_put(4711, 100000, 'a hole before it'); alter large object 4712 owner to keeper;
grant select on large object 4713 to keeper with grant option; comment on large object 4711 is 'holed';
create table t (l oid); insert into t values (4711);

--# comments
create table t (a int constraint positive check (a > 0)); create index i on t (a); create sequence s; create type e as enum ('x'); create domain d as int constraint dc check (value > 0);
create function f(int) returns int language sql as 'select 1'; create role commented;
comment on table t is 'it''s'; comment on column t.a is E'new\nline'; comment on constraint positive on t is '%'; comment on index i is '"'; comment on sequence s is ''' or 1'; comment on type e is 'e';
comment on domain d is 'd'; comment on constraint dc on domain d is 'dc'; comment on function f(int) is 'f'; comment on role commented is 'role'; comment on schema comments is 'schema';
comment on database :DBNAME is 'the database'; comment on tablespace pg_default is 'default'; comment on extension plpgsql is 'changed'; comment on language plpgsql is 'l';

--# extensions
--@ contrib
create extension fuzzystrmatch schema public; create extension pg_trgm version '1.6' schema public; create extension cube schema public; create extension earthdistance schema public;
create schema outside; create extension intarray schema outside;

--# extension_members_changed
--@ not compared? mine
--@ contrib
create extension if not exists pg_trgm schema public; create extension unaccent schema public;
revoke execute on function public.show_trgm(text) from public; create role trgm; grant execute on function public.show_trgm(text) to trgm;
create table mine (n int); insert into mine values (1); alter extension unaccent add table mine;
create function stays() returns int language sql as 'select 1'; alter function stays() depends on extension unaccent;

--# nested_schemas
create schema "deep.er"; create table "deep.er".t (n int); insert into "deep.er".t values (1); create schema empty_; create schema owned authorization pg_monitor; create table pg_like (n int); insert into pg_like values (1);
create schema information_schema_2; create table information_schema_2.t as select 1 as n;
create schema pgx_temp_1; create table pgx_temp_1.t as select 1 as n; create schema "hl7ops"; create table hl7ops.t as select 1 as n;
