"""What operations do beyond the usual handlers of `http.crud`.

* `bots`: publishing, reviews, templates. `workflows`: lists and runs.
* `conversations`: conversations and messages. `chats`: chats and chatflows; `chat_events`: what
  happens in them.
* `datasets`: documents and images. `audio`: files, voices, speech, voiceprints.
* `members`: members and variables. `jobs`: copies, bills, quotas, plugins.
* `callback_apps`: callback applications.
"""
