"""`telealarm import`: events and their alarms from a spreadsheet or from another calendar."""
