using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Slipway.Documents.Rollouts;

namespace Slipway.Gateway.Telemetry;

/// <summary>What happened to requests of running rollouts at this gateway, kept until the server says that it has it. Thread-safe.</summary>
/// <param name="gateway">Name, stable over restarts.</param>
/// <param name="boot">Differs at every start.</param>
internal sealed class RolloutRecorder(string gateway, string boot, string channel, TimeProvider time)
{
    private readonly OrderClock clock = new(time);
    private readonly Dictionary<string, RolloutLog> logs = new(StringComparer.Ordinal);
    private readonly HashSet<string> over = new(StringComparer.Ordinal);
    private readonly Lock changing = new();
    private EventBatch? unacknowledged;
    private long sequence;

    /// <summary>Where the requests of this rollout under this weight are taken down: the same for equal (id, weight revision).</summary>
    public RolloutTally Follow(RolloutRoute route)
    {
        lock (changing)
        {
            over.Remove(route.Id);
            return LogOf(route.Id).Under(route);
        }
    }

    /// <summary>All rollouts but these are over: each is forgotten once its last request has ended and everything is told.</summary>
    public void Retain(IReadOnlyCollection<string> running)
    {
        lock (changing)
            over.UnionWith(logs.Keys.Except(running, StringComparer.Ordinal));
    }

    /// <summary>This gateway's process ended before, while a version of the rollout was loaded or asked: one bad request of an unknown user.</summary>
    public void ReportCrash(RolloutRoute route, Arm arm)
    {
        // One boot ended once: a crash of another boot is another user's.
        var user = BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{gateway}\0{boot}")));
        var tally = Follow(route);
        tally.Failed(tally.Begin(arm, user, time.GetTimestamp()), BadKind.Crash);
    }

    /// <summary>The batch that is to be sent: the one before until it is acknowledged, the same to the byte; then what is new since.</summary>
    /// <param name="evenIfNothing">
    /// Makes a batch of running rollouts without other news than how far they are told: what a server waits for that folds the events of
    /// several gateways in their order.
    /// </param>
    /// <returns>Null when there is nothing to tell.</returns>
    public EventBatch? TakeBatch(bool evenIfNothing = false) => Take(evenIfNothing, isLast: false);

    /// <summary>To be called when no request comes any more, until the batch is the boot's <see cref="EventBatch.Final"/> one.</summary>
    /// <returns>Null when this boot never told anything, and needs no farewell.</returns>
    public EventBatch? TakeLast() => Take(evenIfNothing: true, isLast: true);

    private EventBatch? Take(bool evenIfNothing, bool isLast)
    {
        lock (changing)
        {
            if (unacknowledged is not null)
                return unacknowledged;
            var events = ImmutableArray.CreateBuilder<RolloutEvents>();
            var room = EventBatch.MaxEvents;
            foreach (var (id, log) in logs.OrderBy(entry => entry.Key, StringComparer.Ordinal).ToArray())
            {
                var isOver = over.Contains(id);
                var wasOpen = log.IsOpen;
                if (log.Take(room, evenIfNothing && !isOver, isLast) is { } news)
                {
                    events.Add(news);
                    room -= news.Bad.Length;
                }
                else if (isOver && !wasOpen)
                {
                    logs.Remove(id);
                    over.Remove(id);
                }
            }

            if (events.Count == 0 && !(isLast && sequence > 0))
                return null;
            return unacknowledged = new EventBatch(gateway, boot, channel, ++sequence, events.ToImmutable(), isLast && !logs.Values.Any(log => log.IsOpen));
        }
    }

    /// <summary>The server has the batch: the next one may be made.</summary>
    public void Acknowledge(long acknowledged)
    {
        lock (changing)
        {
            if (unacknowledged?.Sequence == acknowledged)
                unacknowledged = null;
        }
    }

    private RolloutLog LogOf(string rollout)
    {
        if (!logs.TryGetValue(rollout, out var log))
            logs.Add(rollout, log = new RolloutLog(rollout, clock));
        return log;
    }
}
