/** Stands for a payment provider: it is sometimes out of order, and refuses cards that end with 0000. */

export class CardRefused extends Error {}

let calls = 0;

export async function charge(card: string, amount: number): Promise<{ receipt: string }> {
  if (card.endsWith('0000')) throw new CardRefused('The card has no money left');
  calls++;
  if (calls % 3 === 1) throw new Error('The payment provider does not answer');
  return { receipt: `receipt-${calls}-${amount}` };
}
