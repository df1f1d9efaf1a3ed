using System.Collections.Immutable;
using Slipway.Runtime.Hardware;

namespace Slipway.Pipeline.Execution.Scheduling;

/// <summary>A stage as the schedule sees it. Stages are called by their index in plan order.</summary>
/// <param name="Needs">Indices of the stages whose outputs it takes; all smaller than its own.</param>
/// <param name="Retries">Most times that it is begun again after a failure that may pass.</param>
internal sealed record ScheduledStage(ImmutableArray<int> Needs, int Retries, StageDemand Demand);

/// <param name="Jobs">
/// Most commands at a time, at least 1. None is begun while as many stages are storing what theirs wrote: with 1, a command runs when what the
/// one before it wrote is stored.
/// </param>
/// <param name="Prepared">Most further stages that are prepared ahead of their turn, 0 and above.</param>
/// <param name="KeepGoing">Whether what does not depend on a failed stage is still begun.</param>
internal sealed record ScheduleLimits(int Jobs, int Prepared, HostCapacity Host, bool KeepGoing)
{
    /// <summary>More would wait longer for their turn than preparing takes, with their copies of inputs on the disk.</summary>
    private const int MostPrepared = 8;

    /// <param name="seeEachOther">Whether commands see the project and each other: then what they change on the quiet is to be seen by those behind them.</param>
    public static ScheduleLimits Of(int jobs, HostCapacity host, bool keepGoing, bool seeEachOther) => new(jobs, seeEachOther ? 0 : Math.Min(jobs, MostPrepared), host, keepGoing);
}

/// <summary>What happened to the stages; of <see cref="StageSchedule"/>.</summary>
internal abstract record ScheduleEvent
{
    /// <summary>The first event.</summary>
    public sealed record Begun : ScheduleEvent;

    /// <summary>Its command ended well and wrote what it declares; what it took is free, and its outputs are not stored yet.</summary>
    public sealed record CommandEnded(int Stage) : ScheduleEvent;

    /// <summary>Its command failed for good; why is being found out, and <see cref="Failed"/> follows.</summary>
    public sealed record CommandFailed(int Stage) : ScheduleEvent;

    public sealed record Succeeded(int Stage) : ScheduleEvent;

    /// <param name="MayPass">Whether a further attempt could end otherwise.</param>
    public sealed record Failed(int Stage, bool MayPass) : ScheduleEvent;

    /// <summary>A stage that was withdrawn has ended.</summary>
    public sealed record Withdrawn(int Stage) : ScheduleEvent;

    /// <summary>Nothing more is to be begun.</summary>
    public sealed record Cancelled : ScheduleEvent;
}

/// <summary>What the executor is to do; of <see cref="StageSchedule"/>.</summary>
internal abstract record ScheduleAction
{
    /// <param name="Attempt">From 1 on.</param>
    /// <param name="HasTurn">Whether its command may run as soon as it is prepared; else that waits for <see cref="GiveTurn"/>.</param>
    public sealed record Start(int Stage, int Attempt, bool HasTurn) : ScheduleAction;

    /// <summary>The command of a stage that was prepared ahead may run.</summary>
    public sealed record GiveTurn(int Stage) : ScheduleAction;

    /// <summary>The command of a stage that was prepared ahead is not to run.</summary>
    public sealed record Withdraw(int Stage) : ScheduleAction;

    /// <summary>Nothing runs, and nothing will be begun.</summary>
    public sealed record Finish : ScheduleAction;
}

/// <summary>Which stage is begun when: never before its inputs, never more than the host has, in plan order among those that could. Pure: no clock, no I/O.</summary>
/// <remarks>
/// Each event costs O((d + p) log n): d stages that depend on the one that ended, p different demands, n stages. A stage that declares more
/// processors or memory than there are runs with nothing beside it. Of stages that wait, one that fits goes before an earlier one that does
/// not yet: the plan is finite, so that none waits for ever. What is prepared ahead takes nothing and changes no order.
/// </remarks>
internal sealed record StageSchedule
{
    private readonly ImmutableArray<ScheduledStage> stages;
    private readonly ImmutableArray<ImmutableArray<int>> dependents;
    private readonly ScheduleLimits limits;

    /// <summary>How many needs of a stage have not ended well yet.</summary>
    private ImmutableDictionary<int, int> open;

    /// <summary>Stages without a turn whose needs are all there, by what they take: all of one kind fit, or none does.</summary>
    private ImmutableDictionary<StageDemand, ImmutableSortedSet<int>> ready = ImmutableDictionary<StageDemand, ImmutableSortedSet<int>>.Empty;

    /// <summary>Those of them that are prepared, or being prepared.</summary>
    private ImmutableSortedSet<int> prepared = [];

    /// <summary>Attempts of those that run.</summary>
    private ImmutableDictionary<int, int> running = ImmutableDictionary<int, int>.Empty;

    /// <summary>Those whose commands have ended.</summary>
    private ImmutableHashSet<int> storing = [];

    private ImmutableDictionary<string, int> accelerators = ImmutableDictionary<string, int>.Empty;
    private long milliCpus;
    private long memory;
    private bool isStopping;

    private StageSchedule(ImmutableArray<ScheduledStage> stages, ImmutableArray<ImmutableArray<int>> dependents, ScheduleLimits limits)
    {
        (this.stages, this.dependents, this.limits) = (stages, dependents, limits);
        open = stages.Index().ToImmutableDictionary(stage => stage.Index, stage => stage.Item.Needs.Length);
    }

    /// <summary>Indices of those whose commands run now, or are about to.</summary>
    public IEnumerable<int> Running => running.Keys;

    /// <summary>Before the first event.</summary>
    /// <param name="stages">In plan order; none asks for an accelerator that the host does not have.</param>
    public static StageSchedule Of(ImmutableArray<ScheduledStage> stages, ScheduleLimits limits)
    {
        var dependents = stages.Select(_ => ImmutableArray.CreateBuilder<int>()).ToArray();
        foreach (var (i, stage) in stages.Index())
        {
            foreach (var need in stage.Needs)
                dependents[need].Add(i);
        }

        return new StageSchedule(stages, [.. dependents.Select(each => each.ToImmutable())], limits);
    }

    public (StageSchedule State, ImmutableArray<ScheduleAction> Actions) Decide(ScheduleEvent what)
    {
        var next = this with { };
        var actions = ImmutableArray.CreateBuilder<ScheduleAction>();
        switch (what)
        {
            case ScheduleEvent.Begun:
                foreach (var (i, stage) in stages.Index())
                {
                    if (stage.Needs.IsEmpty)
                        next.Offer(i);
                }

                break;
            case ScheduleEvent.CommandEnded(var stage):
                next.Release(stage);
                next.storing = storing.Add(stage);
                break;
            case ScheduleEvent.CommandFailed:
                next.isStopping |= !limits.KeepGoing;
                break;
            case ScheduleEvent.Succeeded(var stage):
                next.End(stage);
                foreach (var dependent in dependents[stage])
                {
                    next.open = next.open.SetItem(dependent, next.open[dependent] - 1);
                    if (next.open[dependent] == 0)
                        next.Offer(dependent);
                }

                break;
            case ScheduleEvent.Failed(var stage, var mayPass) when mayPass && !isStopping && running.TryGetValue(stage, out var attempt) && attempt <= stages[stage].Retries:
                // It keeps its place: what it takes is still its own.
                next.running = running.SetItem(stage, attempt + 1);
                actions.Add(new ScheduleAction.Start(stage, attempt + 1, HasTurn: true));
                break;
            case ScheduleEvent.Failed(var stage, _):
                next.End(stage);
                next.isStopping |= !limits.KeepGoing;
                break;
            case ScheduleEvent.Withdrawn(var stage):
                next.End(stage);
                break;
            case ScheduleEvent.Cancelled:
                next.isStopping = true;
                break;
        }

        if (!next.isStopping && next.storing.Count < limits.Jobs)
            next.Begin(actions);
        else if (next.isStopping && !isStopping)
            actions.AddRange(next.prepared.Select(stage => new ScheduleAction.Withdraw(stage)));
        if (next.running.IsEmpty && next.storing.IsEmpty && next.prepared.IsEmpty)
            actions.Add(new ScheduleAction.Finish());
        return (next, actions.ToImmutable());
    }

    private void Begin(ImmutableArray<ScheduleAction>.Builder actions)
    {
        while (running.Count < limits.Jobs && FirstThatFits() is { } first)
        {
            actions.Add(prepared.Contains(first) ? new ScheduleAction.GiveTurn(first) : new ScheduleAction.Start(first, 1, HasTurn: true));
            Take(first);
        }

        while (prepared.Count < limits.Prepared && FirstUnprepared() is { } next)
        {
            actions.Add(new ScheduleAction.Start(next, 1, HasTurn: false));
            prepared = prepared.Add(next);
        }
    }

    private int? FirstUnprepared() => ready.Values.Select(waiting => waiting.SkipWhile(prepared.Contains).Cast<int?>().FirstOrDefault()).Min();

    private int? FirstThatFits()
    {
        int? first = null;
        foreach (var (demand, waiting) in ready)
        {
            if ((first is null || waiting.Min < first) && Fits(demand))
                first = waiting.Min;
        }

        return first;
    }

    private bool Fits(StageDemand demand)
    {
        if (running.IsEmpty)
            return true;
        // What is beyond the host takes more than all of it, so that nothing fits beside it either.
        return (demand.MilliCpus == 0 || (milliCpus + demand.MilliCpus) / 1000.0 <= limits.Host.Cpus)
            && (demand.Memory == 0 || memory + demand.Memory <= limits.Host.Memory)
            && !demand.IsBeyond(limits.Host)
            && !(running.Count == 1 && stages[running.Keys.First()].Demand.IsBeyond(limits.Host))
            && (demand.Accelerator is not { } kind || accelerators.GetValueOrDefault(kind) + demand.Accelerators <= limits.Host.Accelerators.GetValueOrDefault(kind));
    }

    private void Offer(int stage)
    {
        var demand = stages[stage].Demand;
        ready = ready.SetItem(demand, ready.GetValueOrDefault(demand, []).Add(stage));
    }

    private void Take(int stage)
    {
        Leave(stage);
        running = running.Add(stage, 1);
        Count(stages[stage].Demand, 1);
    }

    private void Leave(int stage)
    {
        var demand = stages[stage].Demand;
        var left = ready[demand].Remove(stage);
        ready = left.IsEmpty ? ready.Remove(demand) : ready.SetItem(demand, left);
        prepared = prepared.Remove(stage);
    }

    private void End(int stage)
    {
        if (prepared.Contains(stage))
            Leave(stage);
        else if (running.ContainsKey(stage))
            Release(stage);
        else
            storing = storing.Remove(stage);
    }

    private void Release(int stage)
    {
        running = running.Remove(stage);
        Count(stages[stage].Demand, -1);
    }

    private void Count(StageDemand demand, int sign)
    {
        milliCpus += sign * demand.MilliCpus;
        memory += sign * demand.Memory;
        if (demand.Accelerator is { } kind)
            accelerators = accelerators.SetItem(kind, accelerators.GetValueOrDefault(kind) + (sign * demand.Accelerators));
    }
}
