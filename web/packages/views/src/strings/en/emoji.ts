export const emoji = {
  find: 'Find an emoji',
  recent: 'Used last',
  found: 'Found',
  groups: {
    0: 'Faces and feelings',
    1: 'People',
    3: 'Animals and nature',
    4: 'Food and drink',
    5: 'Travel and places',
    6: 'Activities',
    7: 'Objects',
    8: 'Signs',
    9: 'Flags',
  },
};
