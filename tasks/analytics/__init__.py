"""What the data says: patients, messages, clinical, trends, risk, forecasts, anomalies."""
