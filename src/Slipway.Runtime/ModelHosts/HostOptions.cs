using Slipway.Primitives.Processes;

namespace Slipway.Runtime.ModelHosts;

/// <summary>How a model is hosted on this machine; nothing here is part of a bundle.</summary>
public sealed record HostOptions
{
    /// <summary>Folder of the machine's own notes about models, such as which one ended the process while it was loaded. Made when missing.</summary>
    public required string StateFolder { get; init; }

    /// <summary>
    /// The command that calls <see cref="ModelHost.RunProbe"/> with the arguments that are appended to it. Default: this program with the verb <c>onnx-probe</c>.
    /// </summary>
    public IReadOnlyList<string> Probe { get; init; } = ChildCommand.ThisProgram("onnx-probe");

    /// <summary>From the start of a model's process, or of the first load, to its readiness. Default 60 s; more than zero.</summary>
    public TimeSpan StartLimit { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>For one prediction, without the waiting for a place. Default 10 s; more than zero.</summary>
    public TimeSpan PredictionLimit { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Predictions that run at once. Default: the number of processors; at least 1.</summary>
    public int Concurrency { get; init; } = Environment.ProcessorCount;

    /// <summary>
    /// Whether a model in this process counts its runs in <see cref="StateFolder"/>, so that <see cref="CrashMarks"/> can tell at the next start whom a
    /// death of the process is laid to. For a folder with one user. Default: no.
    /// </summary>
    public bool MarksRuns { get; init; }

    /// <summary>Told in sentences what happens to the model: started, ended, started again. Default: nobody.</summary>
    public Action<string> Log { get; init; } = static _ => { };

    public TimeProvider Time { get; init; } = TimeProvider.System;
}
