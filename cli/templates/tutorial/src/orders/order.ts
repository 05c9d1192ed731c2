/** What all steps of this project agree upon. */
import { z } from 'zod';

export const newOrderSchema = z.object({
  item: z.string().min(1),
  quantity: z.number().int().min(1),
  card: z.string().min(4),
});

export interface Order {
  id: string;
  item: string;
  quantity: number;
  status: 'waiting' | 'paid' | 'refused';
  receipt?: string;
  reason?: string;
  createdAt: string;
}

/** The group of the state that orders are kept in. */
export const ORDERS = 'orders';
