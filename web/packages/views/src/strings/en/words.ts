import { listFor, pluralFor } from '../plural';

export const plural = pluralFor('en');
export const list = listFor('en');
