"""What the commands of `cds-service` do, beyond serving and answering."""
