import type { IncomingMessage } from 'node:http';
import type { Span, SpanOptions } from '@opentelemetry/api';
import type { RequestHandler } from 'express';
import { withoutValues } from '#src/platform/database/statement-text';

/** Makes spans with the OpenTelemetry SDK that the operator has started. Undefined in a context: there is none. */
export interface Traces {
  /** A span for each request. It continues the trace that the SDK's propagator finds in its headers. */
  readonly request: RequestHandler;
  /** Runs `work` in a span. It ends when the promise settles; if that is rejected, it is an error. */
  span<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** The same for what answers by calling `next`: that runs outside of the span. */
  callback(name: string, next: Next, work: (next: Next) => void): void;
  /** The same for a statement of a database, in a trace only: what no request asks for makes no trace of its own. */
  statement<T>(system: string, sql: string, work: () => Promise<T>): Promise<T>;
}
type Next = (error?: unknown) => void;

/** Where every version 1 of the OpenTelemetry API keeps what an SDK has registered. */
const REGISTERED = Symbol.for('opentelemetry.js.api.1');

/**
 * Traces, if an SDK has registered itself in this process, as `node --import ./tracing.js` does it. Without one nothing
 * is loaded, and there is nothing to ask on the way of a request.
 */
export async function openTraces(version: string): Promise<Traces | undefined> {
  const registered = (globalThis as Record<symbol, unknown>)[REGISTERED] as
    | { trace?: unknown }
    | undefined;
  return registered?.trace ? tracesOf(await import('@opentelemetry/api'), version) : undefined;
}

function tracesOf(api: typeof import('@opentelemetry/api'), version: string): Traces {
  const { context, propagation, trace, SpanKind, SpanStatusCode } = api;
  const tracer = trace.getTracer('sallyport', version);
  /** What went wrong is in the log: the message of an error may hold what somebody sent. */
  const fail = (span: Span, error: unknown) => {
    const type =
      error instanceof Error ? ((error as { code?: string }).code ?? error.name) : 'error';
    span.setAttribute('error.type', type).setStatus({ code: SpanStatusCode.ERROR });
  };

  async function inSpan<T>(name: string, options: SpanOptions, work: () => Promise<T>): Promise<T> {
    const span = tracer.startSpan(name, options);
    try {
      return await context.with(trace.setSpan(context.active(), span), work);
    } catch (error) {
      if (!isRefusal(error)) fail(span, error);
      throw error;
    } finally {
      span.end();
    }
  }

  return {
    request(req, res, next) {
      const active = context.active();
      // The SDK may have made a span for the request itself, by its instrumentation of Node's http.
      const isInside = trace.getSpan(active) !== undefined;
      const parent = isInside ? active : propagation.extract(active, req.headers);
      const kind = isInside ? SpanKind.INTERNAL : SpanKind.SERVER;
      const method = methodOf(req);
      const attributes = { 'http.request.method': method };
      const span = tracer.startSpan(method, { kind, attributes }, parent);
      res.once('close', () => {
        const route = (req.route as { path?: unknown } | undefined)?.path;
        if (typeof route === 'string')
          span.updateName(`${method} ${route}`).setAttribute('http.route', route);
        if (res.headersSent) span.setAttribute('http.response.status_code', res.statusCode);
        if (res.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end();
      });
      context.with(trace.setSpan(parent, span), () => next());
    },
    span: (name, work) => inSpan(name, {}, work),
    callback(name, next, work) {
      const outside = context.active();
      const span = tracer.startSpan(name);
      const done: Next = (error) => {
        span.end();
        context.with(outside, () => next(error));
      };
      context.with(trace.setSpan(outside, span), () => work(done));
    },
    statement(system, sql, work) {
      if (!trace.getSpan(context.active())) return work();
      const text = withoutValues(system, sql);
      const [operation = 'statement'] = /^\w+/.exec(text) ?? [];
      const attributes = {
        'db.system.name': system,
        'db.operation.name': operation,
        'db.query.text': text,
      };
      return inSpan(operation, { kind: SpanKind.CLIENT, attributes }, work);
    },
  };
}

const METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const methodOf = ({ method = '' }: IncomingMessage) =>
  METHODS.includes(method) ? method : '_OTHER';

/** A refusal is an answer. Only 5xx is a fault of the server. */
const isRefusal = (error: unknown): boolean => {
  const { status } = (error ?? {}) as { status?: unknown };
  return typeof status === 'number' && status < 500;
};

/** Runs `work` in a span, where there are traces. */
export const traced = <T>(
  { traces }: { traces: Traces | undefined },
  name: string,
  work: () => Promise<T>,
): Promise<T> => (traces ? traces.span(name, work) : work());
