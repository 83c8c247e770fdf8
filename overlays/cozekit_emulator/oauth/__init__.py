"""Sign-in.

* `endpoints`: the operations of the authorization server. `jwt_assertion`: checks the JWT of an
  app.
* `pages`: consent and device page. `browser`: a user in front of them, for tests.
"""
