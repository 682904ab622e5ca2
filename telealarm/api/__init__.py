"""The REST API. It reads and writes rows; what follows from them is done by the stages."""
