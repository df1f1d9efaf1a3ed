using System.Text;
using Microsoft.AspNetCore.Http;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Gateway.Routing;
using Slipway.Gateway.Telemetry;

namespace Slipway.Gateway.Protocol;

internal sealed partial class InferEndpoint
{
    /// <summary>Chooses the version that answers, reads the request for it, and enters it.</summary>
    /// <remarks>A version that was retired between the look at the table and the entry is looked for again: a switch refuses nobody.</remarks>
    private Refusal? Choose(Exchange exchange, InferCall call, out Choice choice)
    {
        while (true)
        {
            choice = default;
            var table = router.Current;
            if (exchange.Path.Find(table, out var route, out var named) is { } missing)
                return new Refusal(StatusCodes.Status404NotFound, missing);
            if ((named is null ? Assign(exchange, call, route!, out choice) : Name(exchange, call, route!, named, out choice)) is { } refusal)
                return Counted(exchange, refusal, named);
            if (call.Tensors!.Inputs.Batch > options.RowLimit)
                return Counted(exchange, new Refusal(StatusCodes.Status413PayloadTooLarge, $"the request has {call.Tensors.Inputs.Batch} rows, allowed {options.RowLimit}: send them in several requests", IsOfInput: true), named);
            if (choice.Version.TryEnter())
                return null;
            if (ReferenceEquals(table, router.Current))
                return new Refusal(StatusCodes.Status503ServiceUnavailable, "the model's version is being taken away", RetryAfter: Refusal.Soon);
        }
    }

    /// <summary>A request that nobody can read is none of a rollout's, and counts with the version that is live.</summary>
    private Refusal Counted(Exchange exchange, in Refusal refusal, ServedVersion? named)
    {
        if (refusal.IsOfInput)
            exchange.Version?.Sampler?.Refused(ArmOf(exchange.Arm, named is null ? TrafficArm.Stable : TrafficArm.Direct), time.GetTimestamp());
        return refusal;
    }

    /// <summary>The version was asked for by its name: no rollout has a say in it.</summary>
    private static Refusal? Name(Exchange exchange, InferCall call, LiveRoute route, ServedVersion version, out Choice choice)
    {
        choice = new Choice(route, version, null, default);
        (exchange.Version, exchange.Arm) = (version, AnswerArm.None);
        return Read(call, version);
    }

    private Refusal? Assign(Exchange exchange, InferCall call, LiveRoute route, out Choice choice)
    {
        choice = default;
        (exchange.Version, exchange.Arm) = (route.Stable, AnswerArm.None);
        var rollout = route.Rollout is { IsObserved: true } running ? running : null;
        if (rollout is null && route.Stable is null)
            return NotReleased(route);
        call.KeyField = rollout?.Key.Place == KeyPlace.Body ? rollout.Key.Name : null;

        // Usually both arms take the same requests, and one is read once; otherwise who sent it is looked for first.
        var readsOnce = rollout is null || route.ArmsReadAlike;
        if ((readsOnce ? Read(call, route.Stable!) : ReadCaller(call)) is { } unread)
            return unread;
        var assignment = rollout is null ? default : rollout.Splitter.Assign(KeyOf(exchange, call, rollout.Key, stackalloc byte[KeySource.LongestKey]));
        var version = assignment.Arm == Arm.Candidate ? rollout!.Candidate : route.Stable;
        exchange.Version = version;
        if (version is null)
            return NotReleased(route);
        exchange.Arm = assignment.Arm == Arm.Candidate ? AnswerArm.Candidate : AnswerArm.Stable;
        choice = new Choice(route, version, rollout, assignment);
        return readsOnce ? null : ReadOrBlame(exchange, call, choice);
    }

    /// <summary>
    /// Reads a request for one of two arms that want different ones. A request that only the other arm would have taken is none of the
    /// caller's mistakes: a candidate that turns callers away whom the stable version answers would otherwise look harmless.
    /// </summary>
    private Refusal? ReadOrBlame(Exchange exchange, InferCall call, in Choice choice)
    {
        if (Read(call, choice.Version) is not { } refusal)
            return null;
        var other = choice.Assignment.Arm == Arm.Candidate ? choice.Route.Stable : choice.Rollout!.Candidate;
        if (other is null || Read(call, other) is not null)
            return refusal;
        var now = time.GetTimestamp();
        choice.Rollout!.Tally.Failed(choice.Rollout.Tally.Begin(choice.Assignment.Arm, choice.Assignment.User, now), BadKind.Error);
        choice.Version.Sampler?.Failed(OverRequestOf(exchange, call, choice, now, 0), inputs: null, BadKind.Error);
        return refusal with { IsOfInput = false };
    }

    /// <summary>What the caller is assigned by: never empty.</summary>
    private static ReadOnlySpan<byte> KeyOf(Exchange exchange, InferCall call, KeySource source, Span<byte> room)
    {
        if (source.Place == KeyPlace.Body && call.Key is { Length: > 0 } member)
            return member;
        if (source.Place == KeyPlace.Header && exchange.Http.Request.Headers.TryGetValue(source.Name, out var header) && header is [{ Length: > 0 } text] && Encoding.UTF8.TryGetBytes(text, room, out var length))
            return room[..length];
        if (call.Id is { Length: > 0 } id && Encoding.UTF8.TryGetBytes(id, room, out length))
            return room[..length];
        return room[..Encoding.UTF8.GetBytes(exchange.RequestId, room)];
    }

    private static Refusal? Read(InferCall call, ServedVersion version)
    {
        call.Use(version.Tensors.Rent());
        return InferRequest.Read(call.Body, call) is { } fault ? new Refusal(StatusCodes.Status400BadRequest, fault, IsOfInput: true) : null;
    }

    private static Refusal? ReadCaller(InferCall call)
    {
        call.ForgetRequest();
        return InferRequest.ReadCaller(call.Body, call) is { } fault ? new Refusal(StatusCodes.Status400BadRequest, fault, IsOfInput: true) : null;
    }

    private static Refusal NotReleased(LiveRoute route) => new(
        StatusCodes.Status503ServiceUnavailable, route.Unready ?? $"no version of model '{route.Model}' is released here yet", RetryAfter: Refusal.Soon);
}

/// <summary>Which version answers a request, and why.</summary>
/// <param name="Rollout">Null when none was asked.</param>
/// <param name="Assignment">Meaningless without a rollout.</param>
internal readonly record struct Choice(LiveRoute Route, ServedVersion Version, LiveRollout? Rollout, Assignment Assignment);
