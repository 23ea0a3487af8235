// What Koa and koa-body cost by themselves: reads the same JSON and answers.
import Koa from 'koa';
import { koaBody } from 'koa-body';

const app = new Koa();
app.use(koaBody());
app.use((ctx) => {
  ctx.status = 202;
  ctx.body = { ok: true };
});
app.listen(Number(process.env.PORT), '127.0.0.1');
