-- Values that are equal and yet not the same, or that not every program reads.

--# numeric_scale
create table t (n numeric, a numeric[]);
insert into t values (1.0, '{1.0,1.00}'), (1.00, '[5:6]={1,2}'), (1, '{}'), ('NaN', null), ('Infinity', '{-Infinity}');

--# floats
create table t (f float8, r float4, p point);
insert into t values ('-0', '-0', '(-0,0)'), ('0', '0', '(0,-0)'), ('NaN', 'NaN', null), ('-Infinity', '1e-40', null);

--# jsonb_numbers
create table t (b jsonb, j json);
insert into t values ('1.0', '1.0'), ('1.00', '1.00'), ('{"a": 1e3}', '{"a":1e3, "a":2}'), ('[1000.0]', ' [ ] '), ('null', 'null');

--# intervals
create table t (i interval, a interval[]);
insert into t values ('1 mon', '{1 day}'), ('30 days', '{24:00}'), ('720:00:00', null), ('-1 mon +30 days', '{}');

--# citext
--@ contrib
create extension citext schema public;
create table t (c public.citext primary key, a public.citext[]);
insert into t values ('Abc', '{A,b}'), ('abD', '{a,B}');

--# hstore_and_ltree
--@ contrib
create extension hstore schema public;
create extension ltree schema public;
create table t (h public.hstore, l public.ltree);
insert into t values ('a=>1,b=>NULL', 'Top.Science'), ('"=>"=>"\""', '');

--# char_n
create table t (c char(5), a char(3)[], o "char");
insert into t values ('a', '{a,"b  "}', 'x'), ('a  ', '{"a  "}', ''), ('', '{}', null);

--# array_bounds
create table t (a int[], b text[][]);
insert into t values ('[0:1]={1,2}', '{{a,b},{c,d}}'), ('[-3:-2]={1,2}', '[2:3][0:0]={{x},{NULL}}'), ('{}', '{""}');

--# ranges
create type textrange as range (subtype = text, collation = "C");
create table t (r numrange, m int4multirange, x textrange, y datemultirange);
insert into t values ('[1.0,2.00)', '{[1,2),[5,)}', '["",b]', '{}'), ('empty', '{}', '(,)', '{[2020-01-01,)}');

--# domains_not_null
create domain must as text not null;
create domain positive as int check (value is not null and value > 0);
create domain listed as int[] check (array_length(value, 1) is not null);
create table t (a must, b positive, c listed);
insert into t values ('', 1, '{1}'), ('x', 2, '[3:3]={9}');
create table empty (a must, b positive);

--# domain_over_composite
create type pair as (a int, b numeric);
create domain whole as pair check ((value).a is not null);
create domain wholes as whole[];
create table t (w whole, ws wholes, p pair, ps pair[]);
insert into t values ('(1,1.0)', '{"(1,1.00)"}', '(,)', '{"(,)",NULL}'), ('(2,)', '{}', null, '{}');

--# enums
create type mood as enum ('sad', 'happy');
alter type mood add value 'calm' before 'happy';
alter type mood add value 'it''s "so"';
alter type mood rename value 'sad' to 'Sad, very';
create table t (m mood primary key, a mood[], r int) partition by list (m);
create table t1 partition of t for values in ('calm');
create table t2 partition of t default;
insert into t values ('calm', '{happy}', 1), ('it''s "so"', '{"Sad, very"}', 2);
create index on t (m) where m > 'calm';

--# collations
select exists (select from pg_collation where collname = 'de-x-icu') as icu \gset
\if :icu
create collation loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
create table t (a text collate loose primary key, b text collate "C" default 'x');
insert into t values ('abc', 'A'), ('abd', 'a');
\else
create collation plain (provider = libc, locale = 'C');
create table t (a text collate plain primary key);
\endif

--# base_type
create type word;
create function word_in(cstring) returns word language internal as 'textin' strict immutable parallel safe;
create function word_out(word) returns cstring language internal as 'textout' strict immutable parallel safe;
create type word (input = word_in, output = word_out, like = text, category = 'S');
create cast (word as text) without function as implicit;
create cast (text as word) without function as assignment;
create table t (w word, a word[]);
insert into t values ('x', '{y,z}'), ('', '{}');

--# oid_aliases
create table t (c regclass, p regprocedure, y regtype, r regrole, n regnamespace, o regoperator, f regconfig);
insert into t values ('t', 'lower(text)', 'int[]', 'postgres', 'pg_catalog', '+(int,int)', 'english');

--# odd_types
create table t (a bit(3), b varbit, c money, d inet, e macaddr8, f circle, g polygon, h pg_lsn,
  i pg_snapshot, j uuid, k tsvector, l tsquery, m jsonpath, n bytea, o timetz, p name, q tid, r xid8, s box, t path);
insert into t (a, b, c, d, e, f, g, h, j, k, l, m, n, o, p, q, r, s, t) values ('101', '', '-1.50', '::1/64', '08:00:2b:01:02:03:04:05',
  '<(1,2),3>', '((0,0),(1,1))', '0/16B3748', gen_random_uuid(), 'a:1A b:2', 'a & !b', '$.a[*] ? (@ > 1)', '\x00ff', '12:00+02', 'n', '(0,1)', '7', '(1,1),(0,0)', '[(0,0),(1,1)]');
create table x (x xml);
select exists (select from pg_proc where proname = 'xml_in') and current_setting('server_version_num')::int < 180000 as has_xml \gset

--# timestamps_far
create table t (a timestamptz, b timestamp, c date, d time, e timestamptz(0));
insert into t values ('infinity', '-infinity', 'infinity', '24:00', 'epoch'), ('4713-01-01 00:00 BC', '294276-12-31', '5874897-12-31', '00:00', null);

--# large_values
create table t (id int, a text, b bytea);
alter table t alter a set storage external;
insert into t select g, repeat(md5(g::text), 5000), decode(repeat(md5(g::text), 9000), 'hex') from generate_series(1, 20) g;
alter table t alter b set compression pglz;

--# text_of_every_kind
create table t (a text, b varchar(3), c text[]);
insert into t values (E'a\nb\tc\\d', E'\\N', '{NULL,"NULL",""}'), (E'\r\n', E'\\.', E'{"a\\"b"}'), ('', ' ', '{}'), (null, '%s', '{","}'), (E'\u00e9\u65e5', '$1', null);
