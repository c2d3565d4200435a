-- Puts a few rows into every table that takes them simply; it is run more than once, since a row may
-- refer to another table's.
do $$
declare t record;
begin
  for t in
    select c.oid::regclass as it, string_agg(quote_ident(a.attname), ', ' order by a.attnum) as names,
      string_agg(case
        when y.typtype = 'e' then format('(enum_range(null::%s))[1]', a.atttypid::regtype)
        when y.typcategory = 'A' then format('%L::%s', '{}', format_type(a.atttypid, a.atttypmod))
        when y.typname in ('json', 'jsonb') then format('%L::%s', '{"a": 1.0}', y.typname)
        when y.typname = 'uuid' then 'gen_random_uuid()'
        when y.typname = 'bytea' then 'decode(md5(g::text), ''hex'')'
        when y.typname = 'tsvector' then 'to_tsvector(''w'' || g)'
        when y.typcategory = 'N' then format('g::%s', a.atttypid::regtype)
        when y.typcategory = 'B' then '(g % 2 = 0)'
        when y.typcategory = 'D' then format('(''2020-01-01''::timestamptz + g * interval ''1 hour'')::%s', a.atttypid::regtype)
        when y.typcategory = 'T' then 'g * interval ''1 hour'''
        when y.typcategory = 'S' then format('(''v'' || g)::%s', format_type(a.atttypid, a.atttypmod))
        else format('null::%s', format_type(a.atttypid, a.atttypmod)) end, ', ' order by a.attnum) as vals
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      and a.attgenerated = '' and a.attidentity <> 'a'
      join pg_type y on y.oid = a.atttypid join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and not c.relispartition and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    group by c.oid
  loop
    begin
      execute format('insert into %s (%s) select %s from generate_series(1, 3) g', t.it, t.names, t.vals);
    exception when others then null;
    end;
  end loop;
end $$;
