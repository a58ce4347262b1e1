"""What a bound rests on: prices made into certificates, their independent checker, plans judged from raw data."""
