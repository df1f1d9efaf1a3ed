using System.Globalization;
using Microsoft.AspNetCore.Connections;

namespace Slipway.Gateway.Admission;

/// <summary>
/// Bounds open connections. When all places are taken, those give way that have waited longest without a whole request: whoever opens
/// thousands and sends slowly, or nothing, closes its own and stops nobody else. Thread-safe.
/// </summary>
internal sealed class ConnectionPlaces(int places, TimeProvider time)
{
    /// <summary>Connections that give way at once, as a share of all: finding them takes a look at every one.</summary>
    private const int Batch = 64;

    private readonly HashSet<ConnectionPlace> taken = [];
    private readonly Lock changing = new();

    /// <summary>The limit that is asked for, or half of the files that this process may open, where that is less: models and files need the rest.</summary>
    public static int Limit(int asked)
    {
        foreach (var line in File.ReadLines("/proc/self/limits"))
        {
            if (line.StartsWith("Max open files", StringComparison.Ordinal)
                && line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, _, _, var soft, ..] && int.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var files))
                return Math.Max(1, Math.Min(asked, files / 2));
        }

        return asked;
    }

    /// <summary>Runs a connection in a place of its own; closes it at once when every other is being answered.</summary>
    public async Task RunAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var place = new ConnectionPlace(connection, time.GetTimestamp());
        if (!TryEnter(place, out var leaving))
        {
            connection.Abort(new ConnectionAbortedException("every connection is being answered"));
            return;
        }

        foreach (var other in leaving)
            other.Close();
        connection.Features.Set(place);
        try
        {
            await next(connection);
        }
        finally
        {
            lock (changing)
                taken.Remove(place);
        }
    }

    private bool TryEnter(ConnectionPlace place, out IReadOnlyList<ConnectionPlace> leaving)
    {
        lock (changing)
        {
            leaving = taken.Count < places ? [] : [.. taken.Where(other => !other.IsAnswered).OrderBy(other => other.Since).Take(Math.Max(1, places / Batch))];
            taken.ExceptWith(leaving);
            return taken.Count < places && taken.Add(place);
        }
    }
}

/// <summary>One connection's place. Written by its own requests, read by whoever looks for a place.</summary>
internal sealed class ConnectionPlace(ConnectionContext connection, long opened)
{
    private long since = opened;
    private volatile bool isAnswered;

    /// <summary>The end of its last request, or its opening; on the monotonic clock.</summary>
    public long Since => Volatile.Read(ref since);

    /// <summary>A request has arrived whole, and is not answered yet.</summary>
    public bool IsAnswered => isAnswered;

    public void BeginAnswer() => isAnswered = true;

    public void EndAnswer(long now)
    {
        Volatile.Write(ref since, now);
        isAnswered = false;
    }

    public void Close() => connection.Abort(new ConnectionAbortedException("others needed its place, and it had waited longest without a whole request"));
}
