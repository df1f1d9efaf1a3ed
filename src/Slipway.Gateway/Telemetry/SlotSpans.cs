using Slipway.Documents.Rollouts;

namespace Slipway.Gateway.Telemetry;

/// <summary>Slots of the order that are told as one: none of them is the end of what is told, but the last. Not thread-safe.</summary>
internal sealed class SlotSpans
{
    private readonly List<Span> spans = [];

    public int Count => spans.Count;

    /// <summary>The last slot of the one that it is told with; itself when it is told alone.</summary>
    public long LastOf(long slot) => Find(slot)?.Last ?? slot;

    /// <summary>The highest slot, at or before this one, that may be the end of what is told.</summary>
    public long Floor(long slot) => Find(slot) is { } span && slot < span.Last ? span.First - 1 : slot;

    /// <summary>Puts slots together, and with the spans that there are: as many as have bad events for one batch.</summary>
    /// <param name="slots">Of which every request has ended; in any order, and repeated or not.</param>
    /// <param name="bad">The slot of each bad event that waits, in any order.</param>
    public void Grow(IEnumerable<long> slots, IEnumerable<long> bad)
    {
        var events = bad.GroupBy(LastOf).ToDictionary(group => group.Key, group => group.Count());
        var units = slots.Select(LastOf).Concat(events.Keys).Distinct().Order().Select(last => Find(last) ?? new Span(last, last)).ToArray();
        spans.Clear();
        var inSpan = 0;
        foreach (var unit in units)
        {
            var more = events.GetValueOrDefault(unit.Last);
            inSpan += more;
            if (spans.Count > 0 && inSpan <= EventBatch.MaxEvents)
            {
                spans[^1] = spans[^1] with { Last = unit.Last };
                continue;
            }

            spans.Add(unit);
            inSpan = more;
        }
    }

    /// <summary>Everything up to this slot is told.</summary>
    public void Forget(long slot) => spans.RemoveAll(span => span.Last <= slot);

    private Span? Find(long slot) => spans.Find(span => slot >= span.First && slot <= span.Last);

    private sealed record Span(long First, long Last);
}
