import type { IscsiTarget } from "./target.ts";

/**
 * Folders of open-iscsi's records: Debian's since version 12, and older hosts'. ISCSI_DB_ROOT of open-iscsi
 */
export const DATABASES: readonly string[] = ["/var/lib/iscsi", "/etc/iscsi"];
/**
 * Beginning of the name, in such a folder, of an unfinished record. open-iscsi takes each
 * file in the folder `nodes` for a record.
 */
export const DRAFT_START = ".svirt-";
/** File of a target without an interface of its own. DEFAULT_IFACENAME of open-iscsi */
const DEFAULT_IFACE = "default";
/** Last line of a record. idbm_print() of open-iscsi */
const END = "# END RECORD";
/**
 * Possible user or password of a record: a line without outer blanks, since a reader drops them.
 * AUTH_STR_MAX_LEN is 256 with the NUL. idbm_recinfo_config() of open-iscsi
 */
const WORD = /^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/;

/** User and password of CHAP. */
export interface ChapPassword {
  readonly user: string;
  readonly password: string;
}

/** Whether a record can have the text. */
export function fitsRecord(text: string): boolean {
  return WORD.test(text);
}

/** Returns the path of the record of a target in a database. get_params_file() of open-iscsi */
export function recordPath(database: string, { iface = DEFAULT_IFACE, name, portal }: IscsiTarget): string {
  const [, address = "", port = ""] = /^\[?(.*?)\]?:(\d+),1$/.exec(portal) ?? [];
  return `${database}/nodes/${name}/${address},${port},1/${iface}`;
}

/** Returns a record that logs in by CHAP with this user and password, and has all else unchanged. */
export function addPassword(record: string, { password, user }: ChapPassword): string {
  const values = new Map([
    ["node.session.auth.authmethod", "CHAP"],
    ["node.session.auth.username", user],
    ["node.session.auth.password", password],
  ]);
  const lines = record.split("\n").filter((line) => !values.has(/^\s*([^\s=]+)/.exec(line)?.[1] ?? ""));
  const written = [...values].map(([name, value]) => `${name} = ${value}`);
  const end = lines.indexOf(END);
  return end < 0 ? `${[...lines, ...written].join("\n")}\n` : lines.toSpliced(end, 0, ...written).join("\n");
}
