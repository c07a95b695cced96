"""Who and what occurs in the story: the invented company Larkspur, its people, machines and visitors.

Addresses are from networks that geolocation vendors publish as test data and from the documentation ranges, so that
nobody's real address is shown as an attacker's.
"""

from dataclasses import dataclass

COMPANY = "larkspur"
DOMAIN = "larkspur.example"
ACCOUNT = "460218840931"
REGIONS = ("eu-west-1", "us-east-1")


@dataclass(frozen=True, slots=True)
class Person:
    """Someone of the company; `home` is the address that they work from."""

    login: str
    name: str
    team: str
    home: str
    city: str
    country: str

    @property
    def email(self) -> str:
        return f"{self.login}@{DOMAIN}"

    @property
    def okta_id(self) -> str:
        return "00u" + self.login.replace(".", "").ljust(17, "4")[:17]


_NETWORKS = {
    "London": ("81.2.69.", "United Kingdom"),
    "Linköping": ("89.160.20.", "Sweden"),
    "Milton": ("216.160.83.", "United States"),
}

_PEOPLE = (
    ("mira.holt", "Mira Holt", "platform", "London"),
    ("tom.adeyemi", "Tom Adeyemi", "platform", "London"),
    ("sofia.lind", "Sofia Lind", "platform", "Linköping"),
    ("jonas.ek", "Jonas Ek", "payments", "Linköping"),
    ("priya.nair", "Priya Nair", "payments", "London"),
    ("carl.brandt", "Carl Brandt", "payments", "Milton"),
    ("ana.duarte", "Ana Duarte", "data", "London"),
    ("felix.moreau", "Felix Moreau", "data", "Milton"),
    ("grace.okoro", "Grace Okoro", "security", "London"),
    ("dan.weaver", "Dan Weaver", "security", "Milton"),
    ("lena.fors", "Lena Fors", "finance", "Linköping"),
    ("paul.kerr", "Paul Kerr", "finance", "London"),
    ("ruth.amari", "Ruth Amari", "sales", "Milton"),
    ("owen.pryce", "Owen Pryce", "sales", "London"),
    ("nina.sorel", "Nina Sorel", "support", "Milton"),
    ("hugo.berg", "Hugo Berg", "support", "Linköping"),
)

PEOPLE = tuple(
    Person(login, name, team, _NETWORKS[city][0] + str(20 + 3 * index), city, _NETWORKS[city][1])
    for index, (login, name, team, city) in enumerate(_PEOPLE)
)
BY_LOGIN = {person.login: person for person in PEOPLE}
ENGINEERS = tuple(person for person in PEOPLE if person.team in ("platform", "payments", "data", "security"))

WEB_HOSTS = ("web-1", "web-2", "web-3")
BASTION = "bastion-1"
LINUX_HOSTS = (BASTION, "db-1", "ci-1", *WEB_HOSTS)
WORKSTATIONS = tuple(f"LARK-{person.login.split('.')[0].upper()}" for person in PEOPLE)
SERVERS = ("LARK-DC1", "LARK-FILE1")
REPOS = ("storefront", "payments-api", "infrastructure", "data-pipelines", "mobile-app", "handbook")
BUCKETS = ("larkspur-invoices", "larkspur-assets", "larkspur-backups", "larkspur-exports")

VISITORS = tuple(f"{net}{host}" for net in ("198.51.100.", "192.0.2.") for host in range(2, 90))

TESTERS = "192.0.2.200"
"""Of Brightwater, who test the shop for the company."""
MONITOR = "10.20.0.9"

ATTACKER_SSH = "175.16.199.37"
ATTACKER_WEB = "67.43.156.70"
ATTACKER_IDENTITY = "202.196.224.11"
ATTACKER_CLOUD = "175.16.199.112"
ATTACKER_CODE = "67.43.156.12"
ATTACKER_CLUSTER = "202.196.224.58"
ATTACKER_REMOTE = "175.16.199.203"
EXFIL_DOMAIN = "quillstone.example"
VPN_GATEWAY = "vpn-1"
NAME_SERVER = "ns-1"
C2_ADDRESS = "203.0.113.66"
C2_DOMAIN = "lantern-updates.example"
TOOL_HASH = "3c9f6a1de07b52c48f1a6d0be35972ac41d8ef60b7293a5cd4e18b90f6a27d35"
