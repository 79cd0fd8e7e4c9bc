import { qcodeOf } from "./key-codes.ts";

/** Sets of key codes, in the order of virKeycodeSet of libvirt's libvirt-domain.h. */
export const CODESETS = [
  "linux",
  "xt",
  "atset1",
  "atset2",
  "atset3",
  "os_x",
  "xt_kbd",
  "usb",
  "win32",
  "qnum",
] as const;
export type Codeset = (typeof CODESETS)[number];

/** Columns of the table that are in it. The others are computed from atset1. */
const COLUMNS = ["atset1", "atset2", "atset3", "os_x", "usb", "win32"] as const;

/**
 * Linux's number of each key, then its codes, in hexadecimal digits: of several in the database the last, as
 * in libvirt. A code of several keys belongs to the first. tools/keymap-gen code-table, data/keymaps.csv of
 * https://gitlab.com/keycodemap/keycodemapdb
 */
const TABLE = `
  1 1 76 8 35 29 1b; 2 2 16 16 12 1e 31; 3 3 1e 1e 13 1f 32; 4 4 26 26 14 20 33;
  5 5 25 25 15 21 34; 6 6 2e 2e 17 22 35; 7 7 36 36 16 23 36; 8 8 3d 3d 1a 24 37;
  9 9 3e 3e 1c 25 38; 10 a 46 46 19 26 39; 11 b 45 45 1d 27 30; 12 c 4e 4e 1b 2d bd;
  13 d 55 55 18 2e bb; 14 e 66 66 33 2a 8; 15 f d d 30 2b 9; 16 10 15 15 c 14 51;
  17 11 1d 1d d 1a 57; 18 12 24 24 e 8 45; 19 13 2d 2d f 15 52; 20 14 2c 2c 11 17 54;
  21 15 35 35 10 1c 59; 22 16 3c 3c 20 18 55; 23 17 43 43 22 c 49; 24 18 44 44 1f 12 4f;
  25 19 4d 4d 23 13 50; 26 1a 54 54 21 2f db; 27 1b 5b 5b 1e 30 dd; 28 1c 5a 5a 24 28 d;
  29 1d 14 11 3b e0 11; 30 1e 1c 1c 0 4 41; 31 1f 1b 1b 1 16 53; 32 20 23 23 2 7 44;
  33 21 2b 2b 3 9 46; 34 22 34 34 5 a 47; 35 23 33 33 4 b 48; 36 24 3b 3b 26 d 4a;
  37 25 42 42 28 e 4b; 38 26 4b 4b 25 f 4c; 39 27 4c 4c 29 33 ba; 40 28 52 52 27 34 de;
  41 29 e e 32 35 c0; 42 2a 12 12 38 e1 a0; 43 2b 5d 5c 2a 32 dc; 44 2c 1a 1a 6 1d 5a;
  45 2d 22 22 7 1b 58; 46 2e 21 21 8 6 43; 47 2f 2a 2a 9 19 56; 48 30 32 32 b 5 42;
  49 31 31 31 2d 11 4e; 50 32 3a 3a 2e 10 4d; 51 33 41 41 2b 36 bc; 52 34 49 49 2f 37 be;
  53 35 4a 4a 2c 38 bf; 54 36 59 59 3c e5 a1; 55 37 7c 7e 43 55 6a; 56 38 11 19 3a e2 12;
  57 39 29 29 31 2c 20; 58 3a 58 14 39 39 14; 59 3b 5 7 7a 3a 70; 60 3c 6 f 78 3b 71;
  61 3d 4 17 63 3c 72; 62 3e c 1f 76 3d 73; 63 3f 3 27 60 3e 74; 64 40 b 2f 61 3f 75;
  65 41 83 37 62 40 76; 66 42 a 3f 64 41 77; 67 43 1 47 65 42 78; 68 44 9 4f 6d 43 79;
  69 45 77 76 47 53 90; 70 46 7e 5f - 47 91; 71 47 6c 6c 59 5f 67; 72 48 75 75 5b 60 68;
  73 49 7d 7d 5c 61 69; 74 4a 7b - 4e 56 6d; 75 4b 6b 6b 56 5c 64; 76 4c 73 73 57 5d 65;
  77 4d 74 74 58 5e 66; 78 4e 79 7c 45 57 6b; 79 4f 69 69 53 59 61; 80 50 72 72 54 5a 62;
  81 51 7a 7a 55 5b 63; 82 52 70 70 52 62 60; 83 53 71 71 41 63 6e; 86 56 61 13 a 64 e2;
  87 57 78 56 67 44 7a;
  88 58 7 5e 6f 45 7b; 96 e01c e05a 79 4c 58 -; 97 e01d e014 58 3e e4 a3; 98 e035 e04a - 4b 54 6f;
  99 54 7f 57 - 46 2c; 100 e038 e011 39 3d e6 a5; 102 e047 e06c 6e 73 4a 24; 103 e048 e075 63 7e 52 26;
  104 e049 e07d 6f 74 4b 21; 105 e04b e06b 61 7b 50 25; 106 e04d e074 6a 7c 4f 27; 107 e04f e069 65 77 4d 23;
  108 e050 e072 60 7d 51 28; 109 e051 e07a 6d 79 4e 22; 110 e052 e070 67 - 49 2d; 111 e053 e071 64 75 4c 2e;
  125 e05b e01f 8b 37 e3 5b; 126 e05c e027 8c 36 e7 5c; 127 e05d e02f 8d 6e 65 5d`;

/** Bit by which xt_kbd and qnum mark a key with two bytes in atset1. tools/keymap-gen of keycodemapdb */
const EXTENDED = { xt_kbd: 0x100, qnum: 0x80 };

/** Returns QEMU's name of a key by its code in a set; undefined for a code that no key has. */
export function qcodeIn(codeset: Codeset, code: number): string | undefined {
  const linux = codeset === "linux" ? code : linuxOf(codeset, code);
  return linux === undefined ? undefined : qcodeOf(String(linux));
}

function linuxOf(codeset: Exclude<Codeset, "linux">, code: number): number | undefined {
  for (const row of TABLE.split(";")) {
    const [linux, ...codes] = row.trim().split(" ");
    const known = COLUMNS.map((_, at) => Number.parseInt(codes[at] ?? "", 16));
    if (codeIn(codeset, known) === code) return Number(linux);
  }
  return undefined;
}

/** Returns the code of a key in a set; NaN if it has none. */
function codeIn(codeset: Exclude<Codeset, "linux">, known: readonly number[]): number {
  const [first = Number.NaN] = known;
  switch (codeset) {
    case "xt":
      return first;
    case "xt_kbd":
    case "qnum":
      return first > 0x7f ? EXTENDED[codeset] + (first & 0x7f) : first;
    case "atset1":
    case "atset2":
    case "atset3":
    case "os_x":
    case "usb":
    case "win32":
      return known[COLUMNS.indexOf(codeset)] ?? Number.NaN;
  }
}
