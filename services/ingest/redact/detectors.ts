import { card } from './detect-card.ts'
import { email } from './detect-email.ts'
import { iban } from './detect-iban.ts'
import { ip } from './detect-ip.ts'
import { nationalId } from './detect-national-id.ts'
import { phone } from './detect-phone.ts'
import { apiKey, jwt } from './detect-secrets.ts'
import type { Detector } from './detector.ts'

/** The detectors that ship; where matches overlap, the one that stands first names it. */
export const DETECTORS: readonly Detector[] = [
  jwt,
  apiKey,
  email,
  iban,
  card,
  nationalId,
  phone,
  ip,
]
