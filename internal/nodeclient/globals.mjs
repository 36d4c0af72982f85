// Before version 19 Node.js has no global crypto, which the PASETO packages expect of every platform.

import { webcrypto } from 'node:crypto';

globalThis.crypto ??= webcrypto;
