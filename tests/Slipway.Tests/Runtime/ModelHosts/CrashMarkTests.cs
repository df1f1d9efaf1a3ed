using System.Diagnostics;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Processes;
using Slipway.Runtime.ModelHosts;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Runtime.ModelHosts;

public sealed class CrashMarkTests : IDisposable
{
    private static readonly Digest bundle = Digest.Of("bundle"u8);

    private readonly string state = Directory.CreateTempSubdirectory("slipway-marks-").FullName;

    public void Dispose() => Directory.Delete(state, recursive: true);

    [Theory]
    [InlineData("running", CrashMoment.Running)]
    [InlineData("between", CrashMoment.Beside)]
    [InlineData("loading", CrashMoment.Loading)]
    public async Task What_a_model_was_doing_when_its_process_was_killed_is_known_at_the_next_start(string doing, CrashMoment moment)
    {
        var exit = await ChildProcess.RunAsync(ChildProgram.Command("die-with-model", [doing, state]), TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.NotNull(exit.Signal);
        Assert.Equal([new CrashMark("flight-delay", bundle, moment)], CrashMarks.ReadAll(state));
        CrashMarks.Clear(state);
        Assert.Empty(CrashMarks.ReadAll(state));
    }

    [Fact]
    public async Task A_model_that_left_in_good_order_leaves_no_mark()
    {
        using (var mark = RunMark.Set(state, Model()))
        {
            mark.Enter();
            mark.Leave();
        }

        using (var load = await LoadMark.TakeAsync(state, Model(), TestContext.Current.CancellationToken))
        {
            load.Set();
            load.Clear();
        }

        Assert.Empty(CrashMarks.ReadAll(state));
    }

    [Fact]
    public void A_restart_of_the_machine_is_laid_to_no_model()
    {
        var set = RunMark.Set(state, Model());
        var mark = Directory.GetFiles(RunMark.FolderIn(state)).Single();
        var bytes = File.ReadAllBytes(mark);
        set.Dispose();
        bytes[0] = 1;
        File.WriteAllBytes(mark, bytes);
        Assert.Equal(CrashMoment.Running, Assert.Single(CrashMarks.ReadAll(state)).Moment);
        bytes[8] ^= 1;      // the id of another start
        File.WriteAllBytes(mark, bytes);
        Assert.Empty(CrashMarks.ReadAll(state));
    }

    [Fact]
    public void The_same_bundle_hosted_anew_has_a_mark_of_its_own()
    {
        var first = RunMark.Set(state, Model());
        using var second = RunMark.Set(state, Model());
        second.Enter();
        first.Dispose();
        Assert.Equal(CrashMoment.Running, Assert.Single(CrashMarks.ReadAll(state)).Moment);
    }

    /// <summary>Dies of SIGKILL, as of any signal.</summary>
    internal static int DieProgram(string[] arguments)
    {
        var (doing, folder) = (arguments[0], arguments[1]);
        if (doing == "loading")
        {
            LoadMark.TakeAsync(folder, Model(), CancellationToken.None).GetAwaiter().GetResult().Set();
        }
        else
        {
            var mark = RunMark.Set(folder, Model());
            mark.Enter();
            if (doing == "between")
                mark.Leave();
        }

        Process.GetCurrentProcess().Kill();
        return 0;
    }

    private static HostedModel Model() => HostedModels.Onnx("/nowhere/model.onnx", bundle, HostedModels.Late);
}
