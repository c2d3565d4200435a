"""Public synthetic patients in the platform's tables."""

import csv
import gzip

from psycopg import sql


CLASSES = {
    "AMB": "O",
    "EMER": "E",
    "IMP": "I",
    "outpatient": "O",
    "ambulatory": "O",
    "emergency": "E",
    "inpatient": "I",
    "daytime": "O",
}


def rows(folder, name):
    """Read one of the files."""
    with gzip.open(folder / f"{name}.csv.gz", "rt", newline="") as file:
        return list(csv.DictReader(file))


def load(server, folder, first=1):
    """Put patients, encounters, diagnoses and medications of an extract into the platform.

    Keys of patients and encounters begin with `first`.
    """
    with server.connect() as connection, connection.transaction():
        patients = {
            row["patient_id"]: number for number, row in enumerate(rows(folder, "patients"), first)
        }
        people = [
            (
                patients[row["patient_id"]],
                row["mrn"],
                row["last_name"],
                row["first_name"],
                row["birth_date"] or None,
                {"male": "M", "female": "F"}.get(row["gender"]),
                bool(row["death_datetime"]),
                row["death_datetime"] or None,
                row["phone"],
                row["postal_code"],
                "1900-01-01",
            )
            for row in rows(folder, "patients")
        ]
        copy(
            connection,
            "patients",
            "id identifier family_name given_name birth_date sex is_deceased deceased_at phone"
            " postal_code first_seen_at",
            people,
        )
        encounters = {}
        visits = []
        for number, row in enumerate(rows(folder, "encounters"), first):
            encounters[row["encounter_id"]] = number
            visits.append(
                (
                    number,
                    patients[row["patient_id"]],
                    row["encounter_id"],
                    CLASSES[row["class"]],
                    row["start"],
                    row["end"] or None,
                )
            )
        names = "id patient_id visit_number patient_class admitted_at discharged_at"
        copy(connection, "encounters", names, visits)
        diagnoses = {
            (patients[row["patient_id"]], encounters.get(row["encounter_id"]), row["code"]): (
                row["display"],
                row["recorded"],
                row["onset"] or None,
                row["abatement"] or None,
            )
            for row in rows(folder, "diagnoses")
        }
        copy(
            connection,
            "diagnoses",
            "patient_id encounter_id code coding_system description recorded_at onset_at abated_at",
            [(*key, "SCT", *rest) for key, rest in diagnoses.items()],
        )
        copy(
            connection,
            "medications",
            "patient_id order_number code coding_system description started_at ended_at",
            [
                (
                    patients[row["patient_id"]],
                    row["request_id"],
                    row["rxnorm_code"],
                    "RXNORM",
                    row["display"],
                    row["authored_on"],
                    row["authored_on"] if row["status"] == "stopped" else None,
                )
                for row in rows(folder, "medications")
            ],
        )


def copy(connection, table, names, found):
    """Copy rows into a table."""
    columns = sql.SQL(", ").join(map(sql.Identifier, names.split()))
    statement = sql.SQL("copy {} ({}) from stdin").format(sql.Identifier("hl7", table), columns)
    with connection.cursor() as cursor, cursor.copy(statement) as target:
        for row in found:
            target.write_row(row)
