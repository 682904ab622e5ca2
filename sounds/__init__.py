"""The default prompts: prompts.yml and, by language, how they sound."""
