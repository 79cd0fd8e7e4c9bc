/** Any family. linux/socket.h */
export const AF_UNSPEC = 0;
/** Messages about links. linux/rtnetlink.h */
export const RTM_NEWLINK = 16;
/** Messages about links. linux/rtnetlink.h */
export const RTM_DELLINK = 17;
/** Messages about links. linux/rtnetlink.h */
export const RTM_SETLINK = 19;
/** Flag of an active link. linux/if.h */
export const IFF_UP = 1;
/** Attributes of a link. linux/if_link.h */
export const IFLA_ADDRESS = 1;
/** Attributes of a link. linux/if_link.h */
export const IFLA_IFNAME = 3;
/** Attributes of a link. linux/if_link.h */
export const IFLA_MTU = 4;
/** Attributes of a link. linux/if_link.h */
export const IFLA_LINKINFO = 18;
/** Attributes of a link. linux/if_link.h */
export const IFLA_GROUP = 27;
/** Attributes of IFLA_LINKINFO. linux/if_link.h */
export const IFLA_INFO_KIND = 1;
/** Attributes of IFLA_LINKINFO. linux/if_link.h */
export const IFLA_INFO_DATA = 2;
