using System.Text;
using Slipway.Documents;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Runtime.Sandbox;

namespace Slipway.Runtime.ModelHosts;

/// <summary>A private short-lived folder of a model's process: its socket, home, scratch space, log, the signature and the Python shim.</summary>
internal sealed class RunFolder : IDisposable
{
    /// <summary>sockaddr_un holds 108 bytes with the final zero.</summary>
    private const int LongestSocketPath = 107;

    private const string Shim = "slipway_predict.py";

    private readonly ScratchFolder scratch = ScratchFolder.Make();

    public RunFolder(HostedModel model)
    {
        try
        {
            Environment = Fill(model);
        }
        catch
        {
            scratch.Dispose();
            throw;
        }
    }

    public string Path => scratch.Path;

    public string Socket => System.IO.Path.Combine(Path, "socket");

    public string Signature => System.IO.Path.Combine(Path, "signature.json");

    public string Log => System.IO.Path.Combine(Path, "log");

    /// <summary>All variables of the process: nothing of ours, the same on every machine.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; }

    public void Dispose() => scratch.Dispose();

    private Dictionary<string, string> Fill(HostedModel model)
    {
        if (Encoding.UTF8.GetByteCount(Socket) > LongestSocketPath)
            throw new SlipwayException(ExitCode.NotThere, new Fault("temporary-path-too-long", $"the path {Socket} is too long for a socket", Help: "set TMPDIR to a folder with a shorter path"));
        foreach (var folder in new[] { "home", "tmp", "python" })
            Directory.CreateDirectory(System.IO.Path.Combine(Path, folder));
        File.WriteAllBytes(Signature, CanonicalJson.Serialize(model.Signature, DocumentJson.Default.ModelSignature));
        using (var source = typeof(RunFolder).Assembly.GetManifestResourceStream(Shim)!)
        using (var target = File.Create(System.IO.Path.Combine(Path, "python", Shim)))
            source.CopyTo(target);

        var variables = EncapsulatedVariables.Of(System.IO.Path.Combine(Path, "home"), System.IO.Path.Combine(Path, "tmp"), threads: 1, seed: 0, model.Runtime.Environment is not null);
        variables["PYTHONPATH"] = System.IO.Path.Combine(Path, "python");
        variables["SLIPWAY_SOCKET"] = Socket;
        variables["SLIPWAY_MODEL"] = model.ModelPath;
        variables["SLIPWAY_MODEL_NAME"] = model.Name;
        variables["SLIPWAY_SIGNATURE"] = Signature;
        return variables;
    }
}
