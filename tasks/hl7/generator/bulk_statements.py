"""The statements of the bulk fill; `h` is a hash of the row's number, its bits are the chance."""

_PATIENTS = """
insert into hl7.patients (id, identifier, assigning_authority, family_name, given_name, birth_date,
  sex, is_deceased, street, city, region, postal_code, country, phone, first_seen_at, updated_at)
select %(patients_base)s + i, %(prefix)s || '-' || lpad(i::text, 9, '0'), 'BULK',
  (array['Probe','Muster','Sample','Fiktiv','Specimen','Mock','Blanko','Exempel'])[1 + (h & 7)]
    || (array['wald','feld','berg','son','ton','stein','lund','grove'])[1 + (h >> 3 & 7)],
  (array['Alwina','Brunor','Corvina','Delmaro','Elowyna','Fenwicus','Galvina','Hestor'])
    [1 + (h >> 6 & 7)],
  %(begin)s::date - (1 + (h >> 9 & 32767))::int,
  case when h >> 6 & 1 = 0 then 'F' else 'M' end, h >> 24 & 127 = 0,
  (1 + (h >> 31 & 127)) || ' Example Lane', 'Samplebury', 'NW', '00112', 'USA', '(555)555-0100',
  %(begin)s, %(begin)s
from generate_series(0, %(patients)s - 1) i,
  lateral (select hashint8extended(i, %(seed)s) & 9223372036854775807) r(h)
"""

_ENCOUNTERS = """
insert into hl7.encounters (id, patient_id, visit_number, patient_class, location, service,
  admitted_at, discharged_at, disposition, updated_at)
select %(encounters_base)s + i, %(patients_base)s + mod(h, %(patients)s),
  %(prefix)s || 'V' || lpad(i::text, 9, '0'), (array['I','E','O','O'])[1 + (h >> 32 & 3)],
  (array['3N','3S','4N','ICU','ED','CLIN1','CLIN2','DIAB'])[1 + (h >> 34 & 7)], 'MED',
  at, nullif(least(at + make_interval(mins => 60 + (h >> 40 & 8191)::int), %(end)s), %(end)s),
  '01', at
from generate_series(0, %(encounters)s - 1) i,
  lateral (select hashint8extended(i, %(seed)s + 1) & 9223372036854775807) r(h),
  lateral (select %(begin)s + (%(end)s - %(begin)s) * (i::float8 / %(encounters)s)) t(at)
"""

_DIAGNOSES = """
insert into hl7.diagnoses (patient_id, recorded_at, onset_at, code, coding_system, kind)
select %(patients_base)s + i, %(begin)s, %(begin)s - make_interval(days => (h >> 8 & 4095)::int),
  (array['I10','E78.5','E11.9','J45.909','J44.9','N18.30','I50.9','I48.91'])[1 + (h + k & 7)],
  'I10', 'F'
from generate_series(0, %(patients)s - 1) i, generate_series(0, 2) k,
  lateral (select hashint8extended(i, %(seed)s + 2) & 9223372036854775807) r(h)
where k < (h >> 3 & 3)
"""

_MEDICATIONS = """
insert into hl7.medications (patient_id, started_at, order_number, code, coding_system, dose,
  dose_unit, route)
select %(patients_base)s + i, %(begin)s, %(prefix)s || 'M' || i || '.' || k,
  (array['314076','617311','860975','745679','580261','310429','1364445','312940'])
    [1 + (h + k & 7)],
  'RXNORM', 10, 'mg', 'PO'
from generate_series(0, %(patients)s - 1) i, generate_series(0, 2) k,
  lateral (select hashint8extended(i, %(seed)s + 3) & 9223372036854775807) r(h)
where k < (h >> 3 & 3)
"""

_LAB_RESULTS = """
insert into hl7.lab_results (patient_id, encounter_id, observed_at, value_number, code,
  coding_system, unit, reference_range, abnormal_flag, result_status)
select e.patient_id, e.id, e.admitted_at + interval '20 minutes', value, code, 'LN', unit,
  low || '-' || high, case when value < low then 'L' when value > high then 'H' else 'N' end, 'F'
from hl7.encounters e,
  (values (0, '2345-7', 'mg/dL', 70, 99), (1, '2951-2', 'mmol/L', 136, 145),
          (2, '777-3', '10*3/uL', 150, 400)) a(k, code, unit, low, high),
  lateral (select hashint8extended(e.id, %(seed)s + k) & 1023) r(h),
  lateral (select round(low + (high - low) * (h / 900.0 - 0.05))) v(value)
where e.id between %(encounters_base)s and %(encounters_base)s + %(encounters)s - 1
"""

_AUDIT_EVENTS = """
insert into hl7.audit_events (occurred_at, actor, action, object_type, object_id, outcome)
select %(begin)s + (%(end)s - %(begin)s) * (i::float8 / %(messages)s), 'clerk' || (h & 63),
  (array['view','view','view','export','change','view','search','view'])[1 + (h >> 6 & 7)],
  (array['patient','message'])[1 + (h >> 9 & 1)], (h >> 10 & 65535)::text,
  case when h >> 26 & 63 = 0 then 'failure' else 'success' end
from generate_series(0, %(messages)s - 1, 20) i,
  lateral (select hashint8extended(i, %(seed)s + 4) & 9223372036854775807) r(h)
"""

_LOGIN_EVENTS = """
insert into hl7.login_events (occurred_at, username, outcome, reason, source_address)
select %(begin)s + (%(end)s - %(begin)s) * (i::float8 / %(messages)s), 'clerk' || (h & 63),
  case when failed then 'failure' else 'success' end, case when failed then 'password' end,
  '198.51.100.' || (h >> 6 & 127)
from generate_series(0, %(messages)s - 1, 100) i,
  lateral (select hashint8extended(i, %(seed)s + 5) & 9223372036854775807) r(h),
  lateral (select h >> 20 & 31 = 0) f(failed)
"""

FIRST = {
    "patients": _PATIENTS,
    "encounters": _ENCOUNTERS,
    "diagnoses": _DIAGNOSES,
    "medications": _MEDICATIONS,
    "lab_results": _LAB_RESULTS,
    "audit_events": _AUDIT_EVENTS,
    "login_events": _LOGIN_EVENTS,
}
"""What is filled before the messages, in the order of its references."""

MESSAGES = """
with put as (
  insert into hl7.messages (id, received_at, processed_at, sent_at, message_time, connection_id,
    size_bytes, direction, status, ack_code, error_code, error_category, message_type,
    trigger_event, structure, version, charset, control_id, sending_application,
    sending_facility, receiving_application, receiving_facility, patient_identifier,
    content_sha256, raw)
  select %(messages_base)s + i, at, at + took, case when not failed then at + took * 1.5 end, at,
    (%(connection_ids)s::bigint[])[1 + mod(h >> 3, 7)], octet_length(raw),
    case when mod(h >> 3, 7) < 5 then 'inbound' else 'outbound' end,
    case when failed then 'E' else 'S' end, case when failed then 'AE' else 'AA' end,
    case when failed then '102' end, case when failed then 'content' end,
    split_part(kind, '^', 1), split_part(kind, '^', 2), split_part(kind, '^', 3),
    '2.5.1', 'UNICODE UTF-8', control, 'BULKAPP', 'BULK', 'HL7HUB', 'PLATFORM', patient,
    sha256(raw), raw
  from (
    select i, h, at, kind, control, patient, h >> 16 & 127 = 0 as failed,
      make_interval(secs => 0.02 + (h >> 24 & 1023) / 2000.0) as took,
      convert_to(
        'MSH|^~\\&|BULKAPP|BULK|HL7HUB|PLATFORM|' || stamp || '||' || kind || '|' || control
        || E'|P|2.5.1||||||UNICODE UTF-8\\rEVN|' || split_part(kind, '^', 2) || '|' || stamp
        || E'\\rPID|1||' || patient || '^^^BULK^MR||Probe' || (h & 4095) || '^Alwina||19'
        || lpad((h >> 12 & 63)::text, 2, '0') || E'0715|F|||1 Example Lane^^Samplebury^NW^00112\\r'
        || 'PV1|1|I|3N^' || (h >> 18 & 15) || '^A||||1001^Prober^Hestor|||MED|||||||||'
        || %(prefix)s || 'V' || mod(h, %(encounters)s) || E'\\r'
        || case when kind = 'ORU^R01^ORU_R01' then
          'OBR|1|B' || i || E'||51990-0^Basic metabolic panel^LN|||' || stamp
          || E'\\rOBX|1|NM|2345-7^Glucose^LN||' || 60 + (h >> 20 & 63)
          || '|mg/dL|70-99|N|||F|||' || stamp
          || E'\\rOBX|2|NM|2951-2^Sodium^LN||' || 134 + (h >> 26 & 15)
          || '|mmol/L|136-145|N|||F|||' || stamp
          || E'\\rOBX|3|NM|2823-3^Potassium^LN||' || 3 + (h >> 30 & 3)
          || '|mmol/L|3.5-5.1|N|||F|||' || stamp
          || repeat(E'\\rNTE|1|L|Specimen received in good order', (h >> 32 & 31)::int) || E'\\r'
        else E'DG1|1||I10^Essential hypertension^I10||' || stamp || E'|A\\r' end, 'UTF8') as raw
    from (
      select i, h, at, to_char(at at time zone 'UTC', 'YYYYMMDDHH24MISS') as stamp,
        (array['ADT^A01^ADT_A01','ADT^A03^ADT_A03','ADT^A08^ADT_A01','ADT^A04^ADT_A01',
               'ORU^R01^ORU_R01','ORU^R01^ORU_R01','ORM^O01^ORM_O01','RDE^O11^RDE_O11']
        )[1 + (h & 7)] as kind,
        %(prefix)s || lpad(i::text, 10, '0') as control,
        %(prefix)s || '-' || lpad(mod(h >> 8, %(patients)s)::text, 9, '0') as patient
      from unnest(%(begins)s::timestamptz[], %(seconds)s::float8[], %(firsts)s::bigint[],
          %(counts)s::bigint[]) t(begins, seconds, first, n),
        generate_series(first, first + n - 1) i,
        lateral (select hashint8extended(i, %(seed)s + 6) & 9223372036854775807) r(h),
        lateral (select begins + make_interval(secs => seconds * (i - first + 0.5) / n)) a(at)
      offset 0
    ) hashed
    offset 0
  ) written
  returning content_sha256, received_at, id
)
insert into hl7.message_keys select * from put
"""
"""`offset 0` keeps the planner from writing each message three times over."""
