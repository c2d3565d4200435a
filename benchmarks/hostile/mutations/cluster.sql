-- One object of each kind, for mutations to change.

--# garden
--@ contrib
--@ folder space
--@ setting max_prepared_transactions = 5
create role keeper login password 'first'; create role other; create role member_; grant keeper to member_; alter role keeper set work_mem = '5MB'; alter role keeper connection limit 4;
create tablespace space_ location :'space';
create table numbers (id int primary key, n numeric, f float8, b jsonb, i interval, a int[], r numrange, c char(3)[]);
insert into numbers values (1, 1.0, '0', '1.0', '30 days', '{1,2}', '[1.0,2.0)', '{a}'), (2, 2, 1, '2', '1 day', '{3}', '(,3)', '{b}');
create extension citext schema public; create table words (w public.citext, t text); insert into words values ('Abc', 'x'), ('def', 'y');
create type pair as (a int, b numeric); create domain whole as pair check ((value).a > 0); create table pairs (w whole); insert into pairs values ('(1,1.0)');
create schema "a.b"; create schema "a"; create table "a.b"."c" (n int); create table "a"."b.c" (n int); insert into "a.b"."c" values (1); insert into "a"."b.c" values (2);
create materialized view stale as select id, n from numbers; create index on stale (id); create materialized view unpopulated as select 1 as n with no data; insert into numbers values (3);
create table log (a int); create table ruled (a int); create rule told as on insert to ruled do also insert into log values (new.a);
create table parent_ (a int); create table child_ (b int) inherits (parent_); insert into child_ values (1, 2);
create function plus_(a int default 7) returns int language sql immutable as 'select a + 1'; create function atomic_(a int) returns int language sql begin atomic; select a + 1; end;
create procedure doing(a int) language plpgsql as $$ begin commit; end $$; create function fires() returns trigger language plpgsql as $$ begin return new; end $$; create function fires_2() returns trigger language plpgsql as $$ begin return new; end $$;
create function add_(int, int) returns int language sql immutable as 'select $1 + $2'; create aggregate total_(int) (sfunc = add_, stype = int, initcond = '0');
create type small_ as enum ('a', 'b', 'c'); create type textrange_ as range (subtype = text); create function to_pair(int) returns pair language sql immutable as 'select row($1, 1)::garden.pair'; create cast (int as pair) with function to_pair(int);
create function lt_(text, text) returns bool language sql immutable as 'select length($1) < length($2)'; create operator <| (leftarg = text, rightarg = text, function = lt_, restrict = scalarltsel);
create operator family fam_ using hash; create operator class class_ for type int using hash family fam_ as operator 1 =, function 1 hashint4(int);
create domain level_ as int default 1 check (value > 0); create table levels (l level_, k text collate "C", d int default 5 not null, g int generated always as (d * 2) stored, i int generated always as identity);
insert into levels (l, k) values (1, 'x'); alter table levels alter k set storage external, alter d set statistics 5; create index by_d on levels (d) where d > 3; create index by_k on levels (k) with (fillfactor = 70);
create table keyed (id int primary key, u int not null unique, v int check (v in (1, 2))); insert into keyed values (1, 1, 1); alter table keyed replica identity using index keyed_u_key; alter table keyed cluster on keyed_pkey;
create table refers (k int constraint refers_k references keyed deferrable); insert into refers values (1); create table published (a int primary key, b int); create table published_2 (a int);
create publication pub_ for table published with (publish = 'insert'); create subscription sub_ connection 'host=nowhere.invalid' publication p with (connect = false, slot_name = none);
create foreign data wrapper wrapper_ options (a 'b'); create server far_ foreign data wrapper wrapper_ options (host 'x'); create foreign table away (a int options (c 'd')) server far_ options (t '1'); create user mapping for keeper server far_ options (password 'p');
create text search dictionary dict_ (template = simple, stopwords = english); create text search configuration config_ (copy = english);
create text search parser parser_ (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype); create text search template template_ (lexize = dsimple_lexize, init = dsimple_init);
create conversion conv_ for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8; create collation coll_ (provider = libc, locale = 'C'); create function calls() returns language_handler language c as '$libdir/plpgsql', 'plpgsql_call_handler'; create language lang_ handler calls; create access method method_ type table handler heap_tableam_handler;
create table triggered (a int); create trigger trig_ before insert on triggered for each row when (new.a > 1) execute function fires(); create trigger trig_2 after insert on triggered execute function fires();
create table secret_ (a int, o name); insert into secret_ values (1, 'x'); alter table secret_ enable row level security; alter table secret_ force row level security; create policy own_ on secret_ to keeper using (a > 1);
create function ends() returns event_trigger language plpgsql as $$ begin end $$; create event trigger event_ on ddl_command_end execute function ends();
create view seen_ as select id, n from numbers; create view guarded_ with (security_barrier) as select id from numbers where id > 0 with check option; alter view seen_ alter n set default 3;
create statistics stats_ (dependencies) on id, n from numbers; create sequence seq_ cache 5; select nextval('seq_') from generate_series(1, 40); create sequence called_; create sequence owned_ owned by keyed.v;
create table parts (n int) partition by range (n); create table part_1 partition of parts for values from (1) to (10); create table part_2 partition of parts for values from (10) to (20); insert into parts values (5), (15);
create table of_pair of pair; create table bare_ (); insert into bare_ default values; create unlogged table passing_ (n int); create table placed (n int) tablespace space_; create table loose_ (a int, b int, c int); insert into loose_ values (1, 2, 3);
select lo_from_bytea(4711, 'content'), lo_from_bytea(4712, 'content'); grant select on large object 4711 to other; comment on large object 4711 is 'said';
comment on table numbers is 'first'; comment on column numbers.n is 'first'; comment on function plus_(int) is 'first'; comment on role keeper is 'first'; comment on database hostile is 'first'; comment on index by_d is 'first';
grant select on numbers to other; grant select (w) on words to other with grant option; grant execute on function plus_(int) to other; grant usage on schema garden to other; grant usage on type pair to other; grant usage on sequence seq_ to other; grant set on parameter log_min_messages to other; grant create on tablespace space_ to other; grant usage on foreign server far_ to other; grant connect on database hostile to other; grant usage on language plpgsql to other;
alter default privileges in schema garden grant select on tables to other; alter database hostile set work_mem = '6MB'; alter role keeper in database hostile set work_mem = '7MB'; alter system set log_min_duration_statement = '10s';
create database second_ owner keeper connection limit 9; create database patterns_ is_template true; create database closed_ allow_connections false;
\c patterns_
create table kept_ as select 1 as n;
\c second_
create table inner_ as select 1 as n;
