using Slipway.Primitives.Units;
using Slipway.Store.Registries;

namespace Slipway.Cli;

/// <summary>How far a transfer is, on stderr: on a terminal one living line, elsewhere a plain line for each blob that is sent. Thread-safe.</summary>
internal sealed class TransferProgress : IDisposable
{
    private const string Back = "\r\u001b[K";

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(200);

    private readonly Shell shell;
    private readonly TimeProvider clock;
    private readonly ITimer? redraw;
    private readonly Lock drawing = new();
    private readonly long started;
    private decimal whole;
    private long moved, done;

    public TransferProgress(Shell shell, TimeProvider clock)
    {
        (this.shell, this.clock, started) = (shell, clock, clock.GetTimestamp());
        if (shell is { Live: true, Quiet: false })
            redraw = clock.CreateTimer(_ => Redraw(), null, Tick, Tick);
    }

    public void Show(TransferEvent what)
    {
        switch (what)
        {
            case BytesMoved bytes:
                Interlocked.Add(ref moved, bytes.Bytes);
                break;
            case TransferStarted start:
                whole = start.Bytes;
                break;
            case BlobStarted start when redraw is null:
                shell.Note($"· {start.Blob.Digest.Short}  {new ByteSize(start.Blob.Size)}");
                break;
            case BlobEnded { How: not BlobArrival.Sent } end:
                Interlocked.Add(ref done, end.Blob.Size);
                break;
        }
    }

    public void Dispose()
    {
        redraw?.Dispose();
        lock (drawing)
        {
            if (redraw is not null)
                shell.Err.WriteRaw(Back);
        }
    }

    private void Redraw()
    {
        lock (drawing)
        {
            var seconds = clock.GetElapsedTime(started).TotalSeconds;
            var text = $"{new ByteSize(moved + done)} of {new ByteSize((long)Math.Min(whole, ByteSize.MaxBytes))}, {new ByteSize((long)(moved / Math.Max(seconds, 0.1)))}/s";
            var width = Math.Max(20, Console.WindowWidth - 1);
            shell.Err.WriteRaw(Back);
            shell.Err.Write(text.Length > width ? text[..width] : text);
        }
    }
}
