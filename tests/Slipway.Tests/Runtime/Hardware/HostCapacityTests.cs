using Slipway.Runtime.Hardware;

namespace Slipway.Tests.Runtime.Hardware;

public sealed class HostCapacityTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("slipway-").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public void A_host_has_processors_and_memory()
    {
        var host = HostCapacity.Read();
        Assert.True(host.Cpus >= 1 && host.Memory > 1 << 20);
    }

    [Fact]
    public void Accelerators_are_counted_by_maker_as_their_drivers_list_them()
    {
        foreach (var name in new[] { "nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm" })
            Write($"dev/{name}", "");
        foreach (var (node, vendor) in new[] { ("renderD128", "0x10de\n"), ("renderD129", "0x1002\n"), ("renderD130", "0x1002\n"), ("renderD131", "0x8086\n"), ("renderD132", "0x1af4\n"), ("card0", "0x1002\n") })
            Write($"sys/class/drm/{node}/device/vendor", vendor);
        Assert.Equal(["amd 2", "intel 1", "nvidia 2"], HostCapacity.AcceleratorsBelow(root).Select(each => $"{each.Key} {each.Value}"));
    }

    [Fact]
    public void A_host_without_them_has_none() => Assert.Empty(HostCapacity.AcceleratorsBelow(root));

    private void Write(string path, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(root, path))!);
        File.WriteAllText(Path.Combine(root, path), content);
    }
}
