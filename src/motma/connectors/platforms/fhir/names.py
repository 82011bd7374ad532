"""The names that FHIR knows things by: systems of identifiers and codes, ours and those of others that are read.

``urn:motma:…`` are ours and are nobody's address; everything else is as its owner published it.
"""

from collections.abc import Mapping

FORM = "urn:motma:form:2026-1"
"""The Questionnaire; with ``#`` and a dotted path one of its questions, for the ``definition`` of an item."""
SID_CCCD, SID_CMND, SID_QID = "urn:motma:sid:cccd", "urn:motma:sid:cmnd", "urn:motma:sid:qid"
SID_PASSPORT = "http://hl7.org/fhir/sid/passport-"
"""And three letters of ISO 3166-1 (HL7 terminology, NamingSystem passportNumNS-…)."""
V2_IDENTIFIER_TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"
NATIONALITY = "http://hl7.org/fhir/StructureDefinition/patient-nationality"
TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"
ISO_3166 = "urn:iso:std:iso:3166"
GENDER = "http://hl7.org/fhir/administrative-gender"
SNOMED, LOINC, ICD_10 = "http://snomed.info/sct", "http://loinc.org", "http://hl7.org/fhir/sid/icd-10"

CASES: frozenset[tuple[str, str]] = frozenset({(ICD_10, "U07.1"), (SNOMED, "840539006")})
"""Conditions that are a case of the disease of 2021: COVID-19, virus identified. Another measure has another list."""
TESTS: frozenset[tuple[str, str]] = frozenset({(LOINC, "94500-6"), (LOINC, "94309-2"), (LOINC, "94759-8")})
"""Tests that confirm one: nucleic acid of SARS-CoV-2 in respiratory, unspecified and nasopharyngeal specimens."""
DETECTED = frozenset({"260373001", "10828004", "POS", "DET"})
"""Detected, positive: SNOMED CT, and v3-ObservationInterpretation."""

YES, NO = frozenset({"Y", "yes", "true", "373066001"}), frozenset({"N", "no", "false", "373067005"})
"""Codes of an answer: v2-0136, SNOMED CT."""

_ALPHA_3 = """
AND:AD ARE:AE AFG:AF ATG:AG ALB:AL ARM:AM AGO:AO ARG:AR AUT:AT AUS:AU AZE:AZ BIH:BA BRB:BB BGD:BD BEL:BE BFA:BF BGR:BG
BHR:BH BDI:BI BEN:BJ BRN:BN BOL:BO BRA:BR BHS:BS BTN:BT BWA:BW BLR:BY BLZ:BZ CAN:CA COD:CD CAF:CF COG:CG CHE:CH CIV:CI
CHL:CL CMR:CM CHN:CN COL:CO CRI:CR CUB:CU CPV:CV CYP:CY CZE:CZ DEU:DE DJI:DJ DNK:DK DMA:DM DOM:DO DZA:DZ ECU:EC EST:EE
EGY:EG ERI:ER ESP:ES ETH:ET FIN:FI FJI:FJ FSM:FM FRA:FR GAB:GA GBR:GB GRD:GD GEO:GE GHA:GH GMB:GM GIN:GN GNQ:GQ GRC:GR
GTM:GT GNB:GW GUY:GY HKG:HK HND:HN HRV:HR HTI:HT HUN:HU IDN:ID IRL:IE ISR:IL IND:IN IRQ:IQ IRN:IR ISL:IS ITA:IT JAM:JM
JOR:JO JPN:JP KEN:KE KGZ:KG KHM:KH KIR:KI COM:KM KNA:KN PRK:KP KOR:KR KWT:KW KAZ:KZ LAO:LA LBN:LB LCA:LC LIE:LI LKA:LK
LBR:LR LSO:LS LTU:LT LUX:LU LVA:LV LBY:LY MAR:MA MCO:MC MDA:MD MNE:ME MDG:MG MHL:MH MKD:MK MLI:ML MMR:MM MNG:MN MAC:MO
MRT:MR MLT:MT MUS:MU MDV:MV MWI:MW MEX:MX MYS:MY MOZ:MZ NAM:NA NER:NE NGA:NG NIC:NI NLD:NL NOR:NO NPL:NP NRU:NR NZL:NZ
OMN:OM PAN:PA PER:PE PNG:PG PHL:PH PAK:PK POL:PL PSE:PS PRT:PT PLW:PW PRY:PY QAT:QA ROU:RO SRB:RS RUS:RU RWA:RW SAU:SA
SLB:SB SYC:SC SDN:SD SWE:SE SGP:SG SVN:SI SVK:SK SLE:SL SMR:SM SEN:SN SOM:SO SUR:SR SSD:SS STP:ST SLV:SV SYR:SY SWZ:SZ
TCD:TD TGO:TG THA:TH TJK:TJ TLS:TL TKM:TM TUN:TN TON:TO TUR:TR TTO:TT TUV:TV TWN:TW TZA:TZ UKR:UA UGA:UG USA:US URY:UY
UZB:UZ VAT:VA VCT:VC VEN:VE VNM:VN VUT:VU WSM:WS YEM:YE ZAF:ZA ZMB:ZM ZWE:ZW
"""
TWO_LETTERS: Mapping[str, str] = dict(pair.split(":") for pair in _ALPHA_3.split())
"""ISO 3166-1: three letters -> two."""
THREE_LETTERS: Mapping[str, str] = {two: three for three, two in TWO_LETTERS.items()}
