"""Fills a fresh database of BottleCRM with what a company would have set up by hand.

A company, a colleague at a screen, and a user for the integration, each with a token of their own, of which the
integration's may do no more than it needs; and the custom fields that are read. Prints the two tokens: the
integration's, the colleague's.
"""

import django

django.setup()

from common.models import CustomFieldDefinition, Org, PersonalAccessToken, Profile, User  # noqa: E402
from django.db import connection, transaction  # noqa: E402

NEEDED = [
    f"{resource}:{action}"
    for resource in ("contacts", "cases", "tasks", "interactions")
    for action in ("read", "write")
] + ["accounts:read"]

with transaction.atomic():
    org = Org.objects.create(name="Larkfield Broadband", default_country="GB", timezone="Europe/London")
    with connection.cursor() as cursor:
        cursor.execute("select set_config('app.current_org', %s, false)", [str(org.id)])
    tokens = []
    for name, scopes in (("backchannel", NEEDED), ("colleague", [])):
        user = User.objects.create_user(f"{name}@peer.test", name=name.title())
        profile = Profile.objects.create(user=user, org=org, role="ADMIN", is_active=True)
        tokens.append(PersonalAccessToken.generate(profile, name, scopes=scopes)[0])
    for key, label, kind in (("tier", "Tier", "text"), ("annual_value", "Annual value", "number")):
        for target in ("Contact", "Account"):
            CustomFieldDefinition.objects.create(
                org=org, target_model=target, key=key, label=label, field_type=kind, created_by=user
            )

print("\n".join(tokens))
