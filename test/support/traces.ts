import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';
import { whenFileDone } from '#test/support/when-done';

/** An OpenTelemetry SDK that keeps all spans in memory. It is the one of this process until the test file is done. */
export function startTracing() {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  trace.setGlobalTracerProvider(provider);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  whenFileDone(stopTracing);
  const all = (): ReadableSpan[] => exporter.getFinishedSpans();
  return { spans: all, reset: () => exporter.reset(), traceOf: (id: string) => traceIn(all(), id) };
}

/** Servers that are opened from now on find no SDK. */
function stopTracing(): void {
  trace.disable();
  context.disable();
  propagation.disable();
}

const traceIn = (spans: readonly ReadableSpan[], id: string) =>
  spans.filter((span) => span.spanContext().traceId === id);

/** A span and those below it, each as its name. */
interface Tree {
  [name: string]: Tree;
}
export function treeOf(spans: readonly ReadableSpan[], parent: string | undefined): Tree {
  const own = spans.filter((span) => span.parentSpanContext?.spanId === parent);
  return Object.fromEntries(
    own.map((span) => [span.name, treeOf(spans, span.spanContext().spanId)]),
  );
}
