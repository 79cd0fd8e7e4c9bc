/** UUID of the pool `images`. */
export const IMAGES_UUID = "3e3fce45-4f53-4fa7-bb32-11f34168b82b";

/** Target of the pool `images`, in a folder that may have guests' files. */
export const TARGET = "/srv/images";

/** Returns a pool's document of type dir with that target and permissions. */
export function poolXml(target = TARGET, { name = "images", permissions = "", uuid = "" } = {}): Uint8Array {
  const written = uuid === "" ? "" : `<uuid>${uuid}</uuid>`;
  const granted = permissions === "" ? "" : `<permissions>${permissions}</permissions>`;
  return bytesOf(
    `<pool type='dir'><name>${name}</name>${written}<target><path>${target}</path>${granted}</target></pool>`,
  );
}

/** Documents of a pool of each other type. */
export const OTHER_POOLS = {
  fs: "<source><device path='/dev/vdb'/></source><target><path>/srv/fs</path></target>",
  netfs:
    "<source><host name='a'/><dir path='/a'/></source><target><path>/srv/net</path></target>" +
    "<m:mount_opts xmlns:m='http://libvirt.org/schemas/storagepool/fs/1.0'><m:option name='context=a'/></m:mount_opts>",
  logical: "<source><device path='/dev/vdb'/></source>",
  disk: "<source><device path='/dev/vdb'/></source><target><path>/dev</path></target>",
  iscsi:
    "<source><host name='a'/><device path='iqn.2013-06.com.example:a'/></source><target><path>/dev/disk/by-path</path></target>",
  "iscsi-direct":
    "<source><host name='a'/><device path='iqn.2013-06.com.example:a'/>" +
    "<initiator><iqn name='iqn.2013-06.com.example:b'/></initiator></source>",
  scsi: "<source><adapter name='host0'/></source><target><path>/dev/disk/by-path</path></target>",
  mpath: "<target><path>/dev/mapper</path></target>",
  rbd: "<source><host name='a'/><name>rbd</name></source>",
  sheepdog: "<source><host name='a'/><name>sheep</name></source>",
  gluster: "<source><host name='a'/><name>vol</name></source>",
  zfs: "<source><device path='/dev/vdb'/><name>tank</name></source>",
  vstorage: "<source><name>cluster</name></source><target><path>/srv/vz</path></target>",
} as const;

/** Returns the document of a pool of another type. */
export function otherPoolXml(type: string, content: string, name = "other"): Uint8Array {
  return bytesOf(`<pool type='${type}'><name>${name}</name>${content}</pool>`);
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
