"""The default prompts as sounds, by language; their texts are in telealarm.i18n."""
