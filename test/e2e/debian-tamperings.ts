import { PACKAGE_TAMPERINGS } from './debian-tamperings-packages.ts';
import { SYSTEM_TAMPERINGS } from './debian-tamperings-system.ts';

export const DEBIAN_TAMPERINGS = [...PACKAGE_TAMPERINGS, ...SYSTEM_TAMPERINGS];
