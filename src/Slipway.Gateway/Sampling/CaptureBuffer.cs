using System.Buffers;

namespace Slipway.Gateway.Sampling;

/// <summary>Captured requests that wait to be sealed and sent, by model. Full, it captures no more until some were taken. Thread-safe.</summary>
internal sealed class CaptureBuffer
{
    /// <summary>Bytes that wait, over all models: what a gateway spends on it while the server is away.</summary>
    public const int MostBytes = 16 * 1024 * 1024;

    /// <summary>Bytes of one capture; a line that alone is longer is not captured.</summary>
    public const int MostOfOne = 8 * 1024 * 1024;

    /// <summary>Requests of one capture.</summary>
    public const int MostRequests = 50_000;

    private readonly Lock changing = new();
    private readonly Dictionary<string, Open> byModel = new(StringComparer.Ordinal);
    private readonly Queue<Captured> full = new();
    private long bytes, dropped;

    /// <param name="at">Unix milliseconds.</param>
    /// <param name="line">With its line end.</param>
    public void Add(string model, long at, ReadOnlySpan<byte> line)
    {
        lock (changing)
        {
            if (bytes + line.Length > MostBytes || line.Length > MostOfOne)
            {
                dropped++;
                return;
            }

            bytes += line.Length;
            if (!byModel.TryGetValue(model, out var open))
                byModel.Add(model, open = new Open());
            if (open.Lines.WrittenCount + line.Length > MostOfOne || open.Requests >= MostRequests)
            {
                full.Enqueue(open.Close(model));
                byModel[model] = open = new Open();
            }

            open.Lines.Write(line);
            (open.From, open.To, open.Requests) = (Math.Min(open.From, at), Math.Max(open.To, at), open.Requests + 1);
        }
    }

    /// <summary>A request could not be captured.</summary>
    public void Miss()
    {
        lock (changing)
            dropped++;
    }

    /// <summary>Takes what waits; each line once.</summary>
    /// <param name="lost">Requests that were to be captured and were not, mostly for lack of room, since the last call.</param>
    public List<Captured> Take(out long lost)
    {
        lock (changing)
        {
            var taken = full.ToList();
            taken.AddRange(byModel.Where(entry => entry.Value.Requests > 0).Select(entry => entry.Value.Close(entry.Key)));
            full.Clear();
            byModel.Clear();
            (lost, dropped) = (dropped, 0);
            return taken;
        }
    }

    /// <summary>It is sent, or given up: there is room again.</summary>
    /// <param name="taken">Bytes of its lines.</param>
    public void Forget(int taken)
    {
        lock (changing)
            bytes -= taken;
    }

    private sealed class Open
    {
        public ArrayBufferWriter<byte> Lines { get; } = new();

        public long From { get; set; } = long.MaxValue;

        public long To { get; set; } = long.MinValue;

        public int Requests { get; set; }

        public Captured Close(string model) => new(model, From, To, Requests, Lines.WrittenSpan.ToArray());
    }
}

/// <param name="From">Unix milliseconds of the first; likewise <paramref name="To"/> of the last.</param>
internal sealed record Captured(string Model, long From, long To, int Requests, byte[] Lines);
